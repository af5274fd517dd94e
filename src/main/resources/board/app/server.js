// The board's answers. Addresses are relative, so that the page works below any path.

/** Asks for something by GET. */
export async function ask(what, query = {}) {
  const q = new URLSearchParams(query);
  return answered(await fetch("api/" + what + (q.size ? "?" + q : "")));
}

/** Asks by POST, with the header that only this page can send. */
export async function post(what, body) {
  return answered(await fetch("api/" + what, { method: "POST", body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", "X-Lora-Native": "board" } }));
}

async function answered(response) {
  if (!response.ok) {
    throw new Error(await response.text());
  }
  return response.json();
}

/** Has something done, and says what came of it. */
export async function act(what, body) {
  try {
    const answer = await post("do/" + what, body);
    if (answer.said) {
      say(answer.said);
    }
    return answer;
  } catch (e) {
    say(e.message, true);
    return null;
  }
}

let hiding;

/** A sentence at the foot of the page, for some seconds. */
export function say(sentence, wrong = false) {
  const at = document.getElementById("said");
  at.classList.toggle("wrong", wrong);
  if (at.matches(":popover-open")) {
    at.hidePopover();
  }
  at.showPopover(); // above a dialog that is open
  at.textContent = sentence;
  clearTimeout(hiding);
  hiding = setTimeout(() => at.hidePopover(), wrong ? 12000 : 6000);
}
