// Cart and checkout: a typed number of pieces is sent when it is left, and the checkout is priced anew while it is filled in.
// Without it, the buttons beside the fields do the same.
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

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
    else if (event.target.matches("[data-reprices]")) reprice(event.target.form);
  });
  document.addEventListener("DOMContentLoaded", hideButton);
})();
