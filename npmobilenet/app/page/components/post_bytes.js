// Sends bytes to an inbox of the page and gives the reply; an error is a text to show.
export async function postBytes(url, bytes) {
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      body: bytes,
      headers: { "Content-Type": "application/octet-stream" },
    });
  } catch {
    throw new Error("The server cannot be reached");
  }
  let reply = null;
  try {
    reply = await response.json();
  } catch {
    // what follows says it
  }
  if (!response.ok) throw new Error(reply?.detail ?? `The server answered ${response.status}`);
  return reply;
}
