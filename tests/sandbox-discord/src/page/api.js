// The control API of the sandbox, which serves this page.

async function call(method, path, body) {
  const options = { method, headers: { "content-type": "application/json" } };
  if (body !== undefined) options.body = JSON.stringify(body);
  const response = await fetch("/sandbox/" + path, options).catch(() => {
    throw new Error("The sandbox does not answer. Is it still running?");
  });
  const text = await response.text();
  let json = null;
  try {
    json = text ? JSON.parse(text) : null;
  } catch {
    json = { error: text };
  }
  if (!response.ok) throw new Error((json && (json.error || json.message)) || `The sandbox answers ${response.status}.`);
  return json;
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);
