// Drive a running `gpt serve` with OpenAI's own client for Node.
//
//   npm install openai
//   gpt serve &
//   node serve/node/check_openai.mjs http://127.0.0.1:8080/v1
//
// It exits 1 at the first failure.
import OpenAI from 'openai'
import assert from 'node:assert/strict'

const client = new OpenAI({ baseURL: process.argv[2] ?? 'http://127.0.0.1:8080/v1', apiKey: 'any', maxRetries: 0 })
const ok = what => console.log('ok', what)
const fails = async (what, status, call, expected) => {
  const e = await call().then(() => null, e => e)
  assert(e instanceof OpenAI.APIError, what)
  assert.equal(e.status, status, what)
  for (const [k, v] of Object.entries(expected)) assert.equal(e[k], v, what)
  ok(what)
}

const models = []
for await (const m of client.models.list()) models.push(m)
const model = models[0].id
assert.equal((await client.models.retrieve(model)).id, model)
ok('models')

const messages = [{ role: 'user', content: 'Tell me about Mia.' }]
const chat = more => client.chat.completions.create({ model, messages, max_tokens: 20, seed: 7, ...more })
const whole = await chat()
const text = whole.choices[0].message.content
assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + whole.usage.completion_tokens)
assert.equal((await chat()).choices[0].message.content, text)
ok('chat, usage, seed')

let streamed = '', usage
for await (const chunk of await chat({ stream: true, stream_options: { include_usage: true } })) {
  streamed += chunk.choices[0]?.delta.content ?? ''
  usage = chunk.usage
}
assert.equal(streamed, text)
assert.equal(usage.completion_tokens, whole.usage.completion_tokens)
ok('stream')

const runner = client.chat.completions.stream({ model, messages, max_tokens: 20, seed: 7 })
assert.equal(await runner.finalContent(), text)
ok("the client's own accumulation")

const many = await chat({ n: 3, logprobs: true, top_logprobs: 2 })
assert.deepEqual(many.choices.map(c => c.index), [0, 1, 2])
for (const c of many.choices) {
  const bytes = Uint8Array.from(c.logprobs.content.flatMap(t => t.bytes ?? []))
  assert.equal(new TextDecoder().decode(bytes), c.message.content)
}
ok('n and logprobs')

const stop = text.slice(3, 5)
assert.equal((await chat({ stop })).choices[0].message.content, text.split(stop)[0])
ok('stop')

const c = await client.completions.create({ model, prompt: ['Mia was', 'Max had'], max_tokens: 5, n: 2, best_of: 3, logprobs: 1 })
assert.deepEqual(c.choices.map(x => x.index), [0, 1, 2, 3])
ok('completions')

await fails('unknown model', 404, () => chat({ model: 'gpt-4' }), { code: 'model_not_found', param: 'model' })
await fails('temperature', 400, () => chat({ temperature: 3 }), { param: 'temperature', type: 'invalid_request_error' })
await fails('tools', 400, () => chat({ tools: [{ type: 'function', function: { name: 'f' } }] }), { param: 'tools', code: 'unsupported_parameter' })

const control = new AbortController()
const endless = await client.chat.completions.create({ model, messages, stream: true }, { signal: control.signal })
let chunks = 0
for await (const _ of endless) if (++chunks === 2) control.abort()
ok('abort')

const again = client.withOptions({ maxRetries: 10 })
const texts = await Promise.all(Array.from({ length: 24 }, () => again.chat.completions.create({ model, messages, max_tokens: 20, seed: 7 })))
for (const t of texts) assert.equal(t.choices[0].message.content, text)
ok('24 at a time give the same text')
console.log('all passed')
