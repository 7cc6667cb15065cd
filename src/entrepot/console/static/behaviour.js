// Tells the house what is looked at: what an element with data-seen says once it is seen, and what is clicked or put into the
// cart. Nothing is kept in this browser, and nobody is told from another, unless they agree; then it keeps an id, until they don't.
(() => {
  const KEY = "entrepot.analytics", NO = "no", WAIT_MILLIS = 1500, AT_ONCE = 100;
  const FORBIDDEN = Symbol("storage is forbidden");
  let events = [], later = 0;

  const answer = () => { try { return localStorage.getItem(KEY); } catch { return FORBIDDEN; } };
  const visitor = () => { const said = answer(); return typeof said === "string" && said !== NO ? said : undefined; };

  const hex = (bytes) => [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
  const dashed = (digits) => digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  const chance = (version) => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | (version << 4);
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    return hex(bytes);
  };
  // A UUIDv7 says when: what is sent twice counts once.
  const moment = () => dashed(Date.now().toString(16).padStart(12, "0") + chance(7).slice(12));

  const send = () => {
    clearTimeout(later);
    later = 0;
    while (events.length) {
      const body = JSON.stringify({ events: events.splice(0, AT_ONCE), visitor: visitor() });
      navigator.sendBeacon("/v1/collect", new Blob([body], { type: "application/json" }));
    }
  };
  const tell = (event) => {
    events.push({ id: moment(), ...event });
    later ||= setTimeout(send, WAIT_MILLIS);
  };

  const look = () => {
    for (const place of document.querySelectorAll("[data-seen]")) {
      tell(JSON.parse(place.dataset.seen));
      place.removeAttribute("data-seen");
    }
  };

  const product = (href) => new URL(href, location.href).pathname.match(/^\/products\/([0-9a-f-]{36})$/)?.[1];
  const clicked = (event) => {
    const link = event.target.closest?.("#results .hit-title"), id = link && product(link.href);
    if (!id) return;
    const found = document.getElementById("results");
    const position = [...found.querySelectorAll(".hit-title")].indexOf(link) + 1;
    tell({ kind: "click", product_id: id, position, words: found.dataset.searched ?? "", market: found.dataset.market ?? "" });
    send();
  };
  const put = (event) => {
    const form = event.target, id = form.dataset?.drawer !== undefined && product(location.href);
    if (id) tell({ kind: "cart", product_id: id, market: form.elements.market?.value ?? "" });
  };

  const asking = document.getElementById("counting"), open = document.querySelector("[data-counting]");
  const say = (agrees) => {
    try { localStorage.setItem(KEY, agrees ? visitor() ?? dashed(chance(4)) : NO); } catch { return; }
    asking.hidden = true;
    fetch("/behaviour/consent", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ agrees }) }).catch(() => {});
  };
  const ask = () => {
    if (!asking || answer() === FORBIDDEN) return;
    for (const button of asking.querySelectorAll("[data-agrees]")) button.addEventListener("click", () => say(button.dataset.agrees === "yes"));
    asking.hidden = answer() !== null || !document.querySelector("[data-seen]");
    if (open) { open.hidden = false; open.addEventListener("click", () => { asking.hidden = false; asking.querySelector("button").focus(); }); }
  };

  ask();
  look();
  document.addEventListener("click", clicked);
  document.addEventListener("submit", put);
  document.addEventListener("htmx:afterSettle", look);
  addEventListener("pagehide", send);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") send(); });
})();
