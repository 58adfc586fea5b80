// What forms cannot do by themselves: steppers, running totals, the undo countdown, closing menus, lost answers.
// Every page works without this file. Money here is only shown; the server counts again.
"use strict";
document.documentElement.classList.add("js");
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

const steppers = () => all("[data-stepper] [data-step]").forEach((button) => { button.hidden = false; });

const count = (input) => (input.validity.valid ? Number(input.value) : 0);

// "NT$1,320" with another number in it: the server's own way of writing money, kept.
const amount = (sample, value) => {
  const places = (sample.match(/\.(\d+)\D*$/) || ["", ""])[1].length;
  const digits = { minimumFractionDigits: places, maximumFractionDigits: places };
  return sample.replace(/\d[\d.,]*/, value.toLocaleString("en-US", digits));
};

const total = (inputs) =>
  inputs.reduce((sum, input) => sum + Math.round(Number(input.dataset.price) * 100) * count(input), 0) / 100;

const reckon = () => {
  const inputs = all("input[data-price]");
  inputs.forEach((input) => {
    if (!count(input)) return;
    all(`[data-amount-of="${input.dataset.item}"]`).forEach((place) => { place.textContent = amount(place.textContent, total([input])); });
  });
  all("[data-due-total]").forEach((place) => {
    const due = inputs.filter((input) => input.hasAttribute("data-due") && input.dataset.currency === place.dataset.dueTotal);
    place.textContent = amount(place.textContent, total(due));
  });
};

const countdown = () => all("[data-undo-until]").forEach((bar) => {
  const left = Math.ceil((Date.parse(bar.dataset.undoUntil) - Date.now()) / 60000);
  if (left <= 0) return bar.remove();
  bar.querySelector("[data-minutes]").textContent = left;
  bar.querySelector("[data-left]").hidden = false;
});

document.addEventListener("click", (event) => {
  all("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  const button = event.target.closest("[data-step]");
  if (!button) return;
  const input = button.parentElement.querySelector("input");
  if (button.dataset.step === "1") input.stepUp(); else input.stepDown();
  input.dispatchEvent(new Event("input", { bubbles: true }));
});

document.addEventListener("input", (event) => { if (event.target.matches("input[data-price]")) reckon(); });

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// After a swap the tapped button may be gone: the keyboard goes on from what the answer put forward.
document.addEventListener("htmx:afterSettle", () => {
  steppers();
  reckon();
  countdown();
  const lost = document.activeElement === document.body && document.querySelector("[data-focus]");
  (document.querySelector("[data-focus=always]") || lost || null)?.focus();
});

const unsent = () => document.getElementById("messages").replaceChildren(document.getElementById("unsent").content.cloneNode(true));
["htmx:sendError", "htmx:timeout", "htmx:responseError"].forEach((name) => document.addEventListener(name, unsent));

steppers();
reckon();
countdown();
setInterval(countdown, 15000);
