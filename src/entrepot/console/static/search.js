// The search box: "/" goes to it, suggestions while typing, arrows move, Enter takes one, Esc closes. Without it, a plain form.
(() => {
  const WAIT_MILLIS = 90;

  const attach = (box) => {
    const field = box.querySelector("input[type=search]"), list = box.querySelector("[role=listbox]");
    let asked = 0, timer = 0, chosen = -1, typed = field.value;
    list.id = "suggestions";
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", list.id);
    const close = () => { list.hidden = true; chosen = -1; field.setAttribute("aria-expanded", "false"); field.removeAttribute("aria-activedescendant"); };
    const choose = (at) => {
      const items = [...list.children];
      chosen = (at + items.length + 1) % (items.length + 1);
      if (chosen === items.length) chosen = -1;
      items.forEach((item, place) => item.setAttribute("aria-selected", place === chosen));
      field.value = chosen < 0 ? typed : items[chosen].dataset.text;
      chosen < 0 ? field.removeAttribute("aria-activedescendant") : field.setAttribute("aria-activedescendant", items[chosen].id);
    };
    const go = (item) => {
      close();
      if (item.dataset.href) location.href = item.dataset.href;
      else { field.value = item.dataset.text; field.form.requestSubmit(); }
    };
    const show = (found) => {
      list.replaceChildren(...found.map(({ text, kind, href }, place) => {
        const item = Object.assign(document.createElement("li"), { id: `suggestion-${place}` });
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        item.dataset.text = text;
        item.dataset.href = href;
        const words = document.createElement("div");
        const at = text.toLowerCase().indexOf(typed.trim().toLowerCase());
        const end = at + typed.trim().length;
        if (at < 0) words.textContent = text;
        else words.append(text.slice(0, at), Object.assign(document.createElement("mark"), { textContent: text.slice(at, end) }), text.slice(end));
        item.append(words, Object.assign(document.createElement("span"), { textContent: kind }));
        item.addEventListener("pointerdown", (event) => { event.preventDefault(); go(item); });
        return item;
      }));
      list.hidden = found.length === 0;
      chosen = -1;
      field.setAttribute("aria-expanded", String(!list.hidden));
    };
    const ask = async () => {
      const mine = ++asked, text = field.value.trim();
      if (text.length < 2) { close(); return; }
      try {
        const answer = await fetch(`/suggest?${new URLSearchParams({ q: text, market: field.form.elements.market?.value ?? "" })}`);
        const found = answer.ok ? await answer.json() : [];
        if (mine === asked && document.activeElement === field) show(found);
      } catch { close(); }
    };
    field.setAttribute("aria-expanded", "false");
    field.addEventListener("input", () => { typed = field.value; clearTimeout(timer); timer = setTimeout(ask, WAIT_MILLIS); });
    field.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" && !list.hidden) { event.preventDefault(); choose(chosen + 1); }
      else if (event.key === "ArrowUp" && !list.hidden) { event.preventDefault(); choose(chosen - 1); }
      else if (event.key === "Enter" && chosen >= 0 && list.children[chosen].dataset.href) { event.preventDefault(); go(list.children[chosen]); }
      else if (event.key === "Escape" && !list.hidden) { event.preventDefault(); field.value = typed; close(); }
    });
    field.addEventListener("blur", close);
    field.form.addEventListener("submit", () => { asked++; close(); });
  };

  // Arrows walk through the results, Enter opens the one that has the focus (it is a link).
  const walk = (event) => {
    const titles = [...document.querySelectorAll(".hit-title")];
    if (!titles.length) return;
    const at = titles.indexOf(document.activeElement);
    const next = titles[event.key === "ArrowDown" ? at + 1 : at - 1];
    if (at < 0 && document.activeElement !== document.body && !document.activeElement.matches("main")) return;
    if (next) { event.preventDefault(); next.focus(); }
  };

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-suggest]").forEach(attach));
  document.addEventListener("keydown", (event) => {
    const writing = event.target.matches?.("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !writing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const field = document.querySelector("[data-search-field]");
      if (field) { event.preventDefault(); field.focus(); field.select(); } else { location.href = "/"; }
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !writing) { walk(event); }
    else if (event.key === "Escape") { document.querySelectorAll("details.menu[open]").forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); }); }
  });
  document.addEventListener("click", (event) => document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; }));
})();
