// The address of a letter's link: what proves it stands behind the #, and goes into the form, not to a server or into the history.
(() => {
  const form = document.querySelector("[data-link]");
  const token = location.hash.slice(1);
  if (!form || !token) return;
  history.replaceState(null, "", location.pathname);
  form.elements.namedItem("token").value = token;
  form.submit();
})();
