// Passkeys: browsers offer them to scripts only. Without this, one signs in by password or by a letter.
(() => {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) return;

  const send = async (path, body) => {
    const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.detail);
    return said;
  };

  const signIn = async (button) => {
    const asked = await send("/v1/sessions/passkey-challenges");
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.options);
    const credential = await navigator.credentials.get({ publicKey });
    await send("/v1/sessions/passkeys", { challenge_id: asked.challenge_id, credential: credential.toJSON(), as_cookie: true });
    location.assign(button.dataset.next);
  };

  const add = async () => {
    const asked = await send("/v1/me/passkey-challenges");
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked.options);
    const credential = await navigator.credentials.create({ publicKey });
    await send("/v1/me/passkeys", { challenge_id: asked.challenge_id, credential: credential.toJSON() });
    location.reload();
  };

  for (const button of document.querySelectorAll("[data-passkey]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const says = document.querySelector("[data-passkey-says]");
      says.textContent = "";
      try { await (button.dataset.passkey === "add" ? add() : signIn(button)); } catch (error) { says.textContent = error.message; }
    });
  }
})();
