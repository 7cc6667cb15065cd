// Cart and checkout: what is put in is shown in a drawer beside the page, a typed number of pieces is sent when it is left, and
// the checkout is priced anew while it is filled in. Without it, the buttons do the same, and lead to the cart.
(() => {
  const REPRICED = ["summary", "shipping"];
  let asked = 0;

  const hideButton = () => { const button = document.getElementById("update"); if (button) button.hidden = true; };

  const reprice = async (form) => {
    const mine = ++asked, sent = new URLSearchParams(new FormData(form));
    sent.set("do", "update");
    document.getElementById("summary").classList.add("htmx-request");
    try {
      const answer = await fetch(form.action, { method: "POST", body: sent });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== asked) return;
      const held = document.activeElement;
      for (const id of REPRICED) {
        const fresh = page.getElementById(id);
        if (fresh) document.getElementById(id).replaceWith(document.adoptNode(fresh));
      }
      hideButton();
      if (!held.isConnected && held.name) form.querySelector(`[name="${held.name}"]:checked`)?.focus();
    } catch { document.getElementById("summary").classList.remove("htmx-request"); }
  };

  // The browser's own dialog: it keeps the focus, closes by Esc, and gives the focus back to the button.
  const drawer = () => {
    const known = document.getElementById("drawer");
    if (known) return known;
    const made = Object.assign(document.createElement("dialog"), { id: "drawer", className: "drawer" });
    made.setAttribute("aria-labelledby", "drawer-title");
    const close = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: "Go on shopping" });
    close.addEventListener("click", () => made.close());
    made.addEventListener("click", (event) => { if (event.target === made) made.close(); });
    made.append(close);
    document.body.append(made);
    return made;
  };

  const putIn = async (form) => {
    const sent = new URLSearchParams(new FormData(form));
    sent.set("do", "drawer");
    form.classList.add("htmx-request");
    try {
      const answer = await fetch(form.action, { method: "POST", body: sent, headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const inside = page.getElementById("drawer-inside"), box = drawer();
      document.getElementById("cart-link").replaceWith(document.adoptNode(page.getElementById("cart-link")));
      document.getElementById("drawer-inside")?.remove();
      box.prepend(document.adoptNode(inside));
      form.elements.key.value = inside.dataset.key; // the next press is another one
      if (!box.open) box.showModal();
    } catch { form.submit(); } // not known whether it was put in: the key says, and the cart's page shows it
    form.classList.remove("htmx-request");
  };

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-drawer]") || event.submitter?.value === "buy") return;
    event.preventDefault();
    if (!event.target.classList.contains("htmx-request")) putIn(event.target);
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
    else if (event.target.matches("[data-reprices]")) reprice(event.target.form);
  });
  document.addEventListener("DOMContentLoaded", hideButton);
})();
