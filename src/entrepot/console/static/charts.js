// Charts of money, or of a number, over time, drawn by uPlot from what the server put beside the table; colours are the page's own.
(() => {
  const HEIGHT = 240;
  const MINUTES = [1, 5, 10, 15, 30, 60, 120, 240, 480].map((minutes) => minutes * 60);
  const DAYS = [1, 2, 7, 14, 30, 61, 91, 183, 365].map((days) => days * 86400);
  const charts = [];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Steps without a sale are zero, not a slope between their neighbours; a lone step has empty ones around it.
  const filled = ({ x, net, orders, step }) => {
    const xs = [x[0] - step], nets = [0], counts = [0];
    x.forEach((at, place) => {
      const gap = place ? at - x[place - 1] : step;
      if (gap > step) {
        xs.push(x[place - 1] + step); nets.push(0); counts.push(0);
        if (gap > 2 * step) { xs.push(at - step); nets.push(0); counts.push(0); }
      }
      xs.push(at); nets.push(net[place]); counts.push(orders[place]);
    });
    xs.push(x.at(-1) + step); nets.push(0); counts.push(0);
    return [xs, nets, counts];
  };

  const options = (told, width) => {
    const unit = told.currency ? { style: "currency", currency: told.currency } : {};
    const [first, second] = told.labels ?? ["Net", "Orders"];
    const money = new Intl.NumberFormat("en-GB", unit);
    const short = new Intl.NumberFormat("en-GB", { ...unit, notation: "compact", maximumFractionDigits: 1 });
    const axis = { stroke: colour("--ink-faint"), font: "12px " + colour("--sans"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const day = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric" });
    const minute = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
    const tickAt = new Intl.DateTimeFormat("en-GB", told.step >= 86400 ? { timeZone: "UTC", day: "numeric", month: "short", ...(told.x.at(-1) - told.x[0] > 300 * 86400 ? { year: "2-digit" } : {}) } : { timeZone: "UTC", hour: "2-digit", minute: "2-digit" });
    const few = told.x.length <= 70;
    const when = told.step >= 86400 ? day : minute;
    return {
      width, height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      padding: [12, 8, 0, 0],
      cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false } },
      legend: { live: true, markers: { show: false } },
      scales: { x: told.shown ? { range: () => told.shown } : {}, y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.08 : 1] } },
      axes: [{ ...axis, grid: { show: false }, space: 64, incrs: told.step >= 86400 ? DAYS : MINUTES, values: (_, ticks) => ticks.map((tick) => tickAt.format(tick * 1000)) }, { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => short.format(tick)) }],
      series: [
        { label: told.step >= 86400 ? "Day" : "Minute", value: (_, value) => value == null ? "–" : when.format(value * 1000) },
        { label: first, stroke: colour("--series"), width: few ? 0 : 1.5,
          ...(few ? { paths: uPlot.paths.bars({ size: [0.7, 36] }), fill: colour("--series") } : { fill: colour("--series-ground") }), points: { show: false }, value: (_, value) => value == null ? "–" : money.format(value) },
        { label: second, show: true, scale: "orders", width: 0, points: { show: false }, value: (_, value) => value ?? "–" },
      ],
    };
  };

  const draw = (place) => {
    const told = JSON.parse(place.dataset.chart);
    place.replaceChildren();
    return new uPlot(options(told, place.clientWidth), filled(told), place);
  };
  const all = () => {
    charts.splice(0).forEach(([, chart]) => chart.destroy());
    document.querySelectorAll("[data-chart]").forEach((place) => charts.push([place, draw(place)]));
  };

  document.addEventListener("DOMContentLoaded", () => {
    all();
    new ResizeObserver(() => charts.forEach(([place, chart]) => { if (chart.width !== place.clientWidth) chart.setSize({ width: place.clientWidth, height: HEIGHT }); }))
      .observe(document.querySelector("main"));
  });
  document.addEventListener("themechange", all);
})();
