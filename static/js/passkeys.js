// Shows what has to do with passkeys where they can work, and says so where not; allauth's scripts do the rest.
// A browser ties a passkey to a name: at an address of numbers (127.0.0.1) it makes none.
"use strict";
const show = (selector, visible) =>
  document.querySelectorAll(selector).forEach((element) => { element.hidden = !visible; });

const named = !/^(\d+\.\d+\.\d+\.\d+|\[.*\])$/.test(window.location.hostname);
const able = Boolean(window.PublicKeyCredential) && named;
show("[data-passkey]", able);
show("[data-no-passkey]", !able);

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  show("[data-passkey-failed]", true);
});
document.addEventListener("click", () => show("[data-passkey-failed]", false));
