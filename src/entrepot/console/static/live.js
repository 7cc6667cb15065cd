// What moves: one stream of events for the page, and the numbers, states and lines that it carries. Pages are whole without it.
(() => {
  const SPARK = 120, ROWS = 40, STALE_MILLIS = 6000;
  const number = (digits) => new Intl.NumberFormat("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const whole = number(0), tenth = number(1);
  const words = { following: "up to date", behind: "catching up", failing: "not going on", waiting: "not begun" };
  const shapes = { following: "good", behind: "warning", failing: "bad", waiting: "idle" };
  const houseWords = { good: "All well", warning: "Catching up", bad: "Trouble" };
  let heard = Date.now();

  const span = (seconds) => seconds < 1 ? "0 s" : seconds < 90 ? `${Math.round(seconds)} s`
    : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
  const ago = (then) => {
    const seconds = (Date.now() - then) / 1000;
    if (seconds > 86400 * 2) return null;
    return seconds < 1.5 ? "now" : `${span(seconds)} ago`;
  };
  const say = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };
  const shape = (element, name) => {
    if (element && !element.classList.contains(name)) {
      element.classList.remove("good", "warning", "bad", "idle");
      element.classList.add(name);
    }
  };

  // A line of the last minute, as the server draws it first.
  const draw = (svg, values) => {
    const top = Math.max(1, ...values);
    const points = values.map((value, at) => `${SPARK - values.length + at},${(26 - 24 * value / top).toFixed(1)}`);
    svg.querySelector("polyline").setAttribute("points", points.join(" "));
  };
  const lane = (one, head) => {
    for (const place of document.querySelectorAll(`[data-lane="${one.name}"]`)) {
      const field = (name) => place.querySelector(`[data-field="${name}"]`);
      say(field("passed"), whole.format(one.passed));
      say(field("lag_events"), whole.format(one.lag_events));
      say(field("lag_seconds"), one.lag_seconds < 10 ? `${one.lag_seconds.toFixed(1)} s` : span(one.lag_seconds));
      say(field("rate"), whole.format(one.events_per_second));
      say(field("quarantined"), whole.format(one.quarantined));
      say(field("building"), one.building ? `· generation ${one.building.generation} at ${Math.floor(100 * one.building.share)} %` : "");
      field("track")?.setAttribute("width", head ? Math.min(100, 100 * one.passed / head).toFixed(2) : 100);
      const state = field("state");
      if (state) { shape(state, shapes[one.state]); say(state, words[one.state]); }
    }
    for (const svg of document.querySelectorAll(`[data-spark="${one.name}"]`)) draw(svg, one.lags);
    const progress = document.querySelector(`[data-building="${one.name}"]`);
    if (progress && !one.building) { location.reload(); return; }
    if (progress) {
      progress.value = 100 * one.building.share;
      const left = one.building.seconds_left === null ? "" : `, about ${span(one.building.seconds_left)} left`;
      say(document.querySelector(`[data-building-says="${one.name}"]`), `${Math.floor(100 * one.building.share)} % of the log${left}`);
    }
  };

  const money = (minor, currency) => {
    const format = new Intl.NumberFormat("en-GB", { style: "currency", currency });
    return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
  };

  const arrive = (body, order) => {
    const cell = (text, kind = "") => Object.assign(document.createElement("td"), { textContent: text, className: kind });
    const row = Object.assign(document.createElement("tr"), { className: "fresh" });
    const link = Object.assign(document.createElement("a"), { href: `/orders/${order.id}`, textContent: order.id.slice(-12) });
    const first = cell("", "code");
    first.append(link);
    const state = Object.assign(document.createElement("span"), { className: "state good", textContent: "placed" });
    const second = cell("");
    second.append(state);
    const time = Object.assign(document.createElement("time"), { dateTime: order.placed_at });
    time.dataset.ago = "";
    const last = cell("", "nowrap soft");
    last.append(time);
    row.append(first, second, cell(order.country), cell(whole.format(order.lines), "number"), cell(whole.format(order.pieces), "number"),
      cell(money(order.total_minor, order.currency), "number"), last);
    body.prepend(row);
    while (body.rows.length > ROWS) body.rows[body.rows.length - 1].remove();
  };

  const figures = (seen) => ({
    head: whole.format(seen.head),
    events_per_second: tenth.format(seen.events_per_second),
    orders_per_second: tenth.format(seen.orders_per_second),
    requests_per_second: tenth.format(seen.requests_per_second),
    latency_p50: tenth.format(1000 * seen.latency_p50),
    latency_p99: tenth.format(1000 * seen.latency_p99),
    errors: whole.format(seen.errors),
  });

  const house = (seen) => {
    const away = seen.record || Object.values(seen.engines).some(Boolean) || seen.lanes.some((one) => one.state === "failing");
    const slow = seen.lanes.some((one) => one.state !== "following");
    return away ? "bad" : slow ? "warning" : "good";
  };

  // Sentences about what is wrong are written by the server: when the state of the house changes, they are fetched anew.
  let noted = null;
  const note = (seen) => {
    const now = JSON.stringify([seen.record, seen.engines, seen.lanes.map((one) => [one.state, one.quarantined, !!one.building])]);
    const notes = document.querySelector("[data-notes]");
    if (notes && noted !== null && noted !== now) window.htmx?.ajax("GET", location.href, { target: "[data-notes]", select: "[data-notes]", swap: "outerHTML" });
    noted = now;
  };

  const ages = () => {
    for (const time of document.querySelectorAll("time[data-ago]")) {
      const text = ago(Date.parse(time.dateTime));
      if (text) { time.title ||= time.textContent || time.dateTime; say(time, text); }
    }
    const stale = document.querySelector("[data-stale]");
    if (stale) stale.hidden = Date.now() - heard < STALE_MILLIS;
  };

  const beat = (message) => {
    const seen = JSON.parse(message.data);
    heard = Date.now();
    for (const [name, text] of Object.entries(figures(seen))) for (const place of document.querySelectorAll(`[data-live="${name}"]`)) say(place, text);
    for (const svg of document.querySelectorAll('[data-spark="events_per_second"]')) draw(svg, seen.rates);
    seen.lanes.forEach((one) => lane(one, seen.head));
    for (const one of seen.today) {
      say(document.querySelector(`[data-today="${one.currency}"]`), money(one.net_minor, one.currency));
      say(document.querySelector(`[data-today-orders="${one.currency}"]`), whole.format(one.orders));
    }
    const state = house(seen);
    for (const place of document.querySelectorAll("[data-live-state]")) { shape(place, state); say(place, houseWords[state]); }
    for (const [role, sentence] of Object.entries(seen.engines)) shape(document.querySelector(`[data-engine="${role}"]`), sentence ? "bad" : "good");
    const at = document.querySelector("[data-live-time]");
    if (at) { at.dateTime = seen.at; say(at, new Date(seen.at).toLocaleTimeString("en-GB", { timeZone: "UTC" }) + " UTC"); }
    const body = document.querySelector("[data-arrivals]");
    if (body) seen.arrivals.toReversed().forEach((order) => arrive(body, order));
    note(seen);
    ages();
  };

  // A flash sale: numbers move while it runs, and its last sentences are the server's.
  let selling = false;
  const flash = (message) => {
    const sale = JSON.parse(message.data), place = document.querySelector("[data-flash]");
    if (!place) return;
    if (!place.querySelector("[data-flash-field]") || (selling && !sale.running)) { location.reload(); return; }
    selling = sale.running;
    const all = Math.max(sale.buyers, 1), oversold = Math.max(sale.sold - sale.pieces, 0);
    for (const name of ["pieces", "buyers", "sold", "told_sold_out"]) say(place.querySelector(`[data-flash-field="${name}"]`), whole.format(sale[name]));
    say(place.querySelector('[data-flash-field="oversold"]'), whole.format(oversold));
    say(place.querySelector('[data-flash-field="seconds"]'), tenth.format(sale.seconds));
    place.querySelector("[data-flash-sold]").setAttribute("width", (100 * sale.sold / all).toFixed(2));
    const rest = place.querySelector("[data-flash-told]");
    rest.setAttribute("x", (100 * sale.sold / all).toFixed(2));
    rest.setAttribute("width", (100 * sale.told_sold_out / all).toFixed(2));
  };

  const verifying = () => { if (document.querySelector("[data-verifying], [data-waiting]")) setTimeout(() => location.reload(), 1500); };

  document.addEventListener("DOMContentLoaded", () => {
    // A bar that is wider than a phone is scrolled to where one is.
    for (const here of document.querySelectorAll(".rooms [aria-current], .subnav [aria-current]")) here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft - 24;
    ages();
    verifying();
    setInterval(ages, 1000);
    // Who may not watch the house has no pulse in the bar, and asks for none.
    if (document.querySelector(".pulse")) {
      const source = new EventSource("/v1/events/stream");
      source.addEventListener("pulse", beat);
      source.addEventListener("flash", flash);
      addEventListener("pagehide", () => source.close());
    }
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  });
})();
