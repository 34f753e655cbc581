'use strict'
// The page to chat. All text is set as text, never as markup. A conversation is a
// list of turns; a turn is a question and, for each column (a model), its answers, of
// which one is used when the conversation goes on.

const $ = id => document.getElementById(id)
const make = (name, props = {}, ...children) => {
  const e = Object.assign(document.createElement(name), props)
  e.append(...children)
  return e
}

let models = []         // as the server describes them
let turns = []          // [{question, columns: [{model, answers: [Answer], used, left}]}]
let running = null      // AbortController of the answers that are being written
const settings = ['temperature', 'top_k', 'top_p', 'min_p', 'repetition_penalty', 'max_tokens', 'n']

// ask sends a request and returns the response, or throws an Error with status and
// code.
async function ask(path, body, signal) {
  const headers = {}
  const key = sessionStorage.getItem('key')
  if (key) headers.Authorization = 'Bearer ' + key
  if (body) headers['Content-Type'] = 'application/json'
  const plain = (_, v) => typeof v === 'string' ? v.replaceAll('\0', '\ufffd') : v // a model may write NUL, the API takes none
  const r = await fetch(path, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body, plain), signal })
  if (r.ok) return r
  const answer = await r.json().catch(() => null)
  const e = new Error(answer?.error?.message ?? `the server answered ${r.status}`)
  e.status = r.status
  e.code = answer?.error?.code
  e.wait = Number(r.headers.get('Retry-After'))
  if (r.status === 401) $('key-form').hidden = false
  throw e
}

// events yields the JSON of a stream of server-sent events.
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  for (let rest = ''; ;) {
    const { value, done } = await reader.read()
    if (done) return
    const parts = (rest + value).split('\n\n')
    rest = parts.pop()
    for (const p of parts) {
      if (!p.startsWith('data: ')) continue
      if (p === 'data: [DONE]') return
      const v = JSON.parse(p.slice(6))
      if (v.error) throw new Error(v.error.message)
      yield v
    }
  }
}

async function start() {
  try {
    models = (await (await ask('/v1/models')).json()).data
  } catch (e) {
    return say(e.message)
  }
  $('key-form').hidden = true
  const writers = models.filter(m => !m.reward)
  for (const [id, first] of [['model-a', []], ['model-b', [make('option', { value: '', textContent: 'none' })]]]) {
    $(id).replaceChildren(...first, ...writers.map(m => make('option', { value: m.id, textContent: m.id })))
  }
  const most = Math.min(...writers.map(m => m.context))
  $('max_tokens').max = Math.max(16, most - 1)
  $('max_tokens').value = Math.min(128, Math.floor(most / 2))
  show('max_tokens')
  say('')
}

const say = text => { $('status').textContent = text }
const show = id => { $(id).parentElement.querySelector('output').textContent = $(id).value }
const modelOf = id => models.find(m => m.id === id)

// conversation returns the messages that a column's model has seen before turn n,
// and its question; what the context has no room for is left out.
function conversation(n, c, leftOut = 0) {
  const list = []
  if ($('system').value) list.push({ role: 'system', content: $('system').value })
  for (let i = leftOut; i < n; i++) {
    const column = turns[i].columns[c]
    const answer = column?.answers[column.used]
    if (!answer?.text) continue
    list.push({ role: 'user', content: turns[i].question }, { role: 'assistant', content: answer.text })
  }
  list.push({ role: 'user', content: turns[n].question })
  return list
}

// answer lets all columns of turn n write.
async function answer(n) {
  running?.abort()
  const control = running = new AbortController()
  const turn = turns[n]
  turns.length = n + 1
  const chosen = [$('model-a').value, $('model-b').value].filter((m, i) => i === 0 || m !== '')
  const seed = $('seed').value === '' ? Math.floor(Math.random() * 2 ** 32) : Number($('seed').value)
  turn.columns = chosen.map(model => ({ model, answers: [], used: 0 }))
  draw()
  busy(true)
  await Promise.all(turn.columns.map((_, c) => write(n, c, seed, control)))
  if (running === control) {
    running = null
    busy(false)
    if (document.activeElement === document.body) $('question').focus()
  }
}

function busy(on) {
  $('stop').hidden = !on
  $('send').hidden = on
  say(on ? 'writing …' : '')
}

// write lets one column write its answers.
async function write(n, c, seed, control) {
  const column = turns[n].columns[c]
  const body = { model: column.model, seed, stream: true, logprobs: true, top_logprobs: 1, candidates: 10 }
  for (const id of settings) body[id] = Number($(id).value)
  for (let left = 0; ;) {
    body.messages = conversation(n, c, left)
    try {
      const response = await ask('/v1/chat/completions', body, control.signal)
      column.left = left
      for await (const chunk of events(response)) {
        for (const choice of chunk.choices) {
          while (column.answers.length <= choice.index) addAnswer(n, c, seed + column.answers.length)
          take(column.answers[choice.index], choice)
        }
      }
      await Promise.all(column.answers.map(a => finish(n, c, a)))
      break
    } catch (e) {
      if (control.signal.aborted) {
        for (const a of column.answers) a.reason ??= 'stopped'
        await Promise.all(column.answers.map(a => finish(n, c, a)))
      } else if (e.code === 'context_length_exceeded' && left < n) {
        left++ // the oldest turn leaves
        continue
      } else if (e.code === 'context_length_exceeded' && body.max_tokens > 1) {
        body.max_tokens = Math.floor(body.max_tokens / 2)
        continue
      } else if (e.status === 429) {
        say(`the server is busy: again in ${e.wait} s`)
        await new Promise(done => setTimeout(done, 1000 * e.wait))
        if (!control.signal.aborted) continue
      } else {
        column.error = e.message
      }
      break
    }
  }
  drawNotes(n, c)
}

// addAnswer begins an answer, with its place on the page.
function addAnswer(n, c, seed) {
  const column = turns[n].columns[c]
  const a = { text: '', seed, tokens: [], bytes: new TextDecoder(), index: column.answers.length }
  column.answers.push(a)
  drawAnswer(n, c, a)
  mark(n, c)
}

// take adds a chunk to an answer. A token that ends within a character gets its place
// when the character is whole.
function take(a, choice) {
  a.text += choice.delta.content ?? ''
  choice.logprobs?.content.forEach((t, i) => {
    const text = t.bytes ? a.bytes.decode(Uint8Array.from(t.bytes), { stream: true }) : ''
    const step = choice.steps?.[i]
    addToken(a, text, { p: Math.exp(t.logprob), step })
  })
  if (choice.finish_reason) a.reason = choice.finish_reason
  follow()
}

// follow keeps the end of the conversation in view while it grows, unless the user has
// scrolled away from it: once for each picture of the screen.
let atEnd = true, following = false
function follow() {
  if (following || !atEnd) return
  following = true
  requestAnimationFrame(() => {
    following = false
    $('talk').scrollTop = $('talk').scrollHeight
  })
}

function addToken(a, text, token) {
  token.span = make('span', { textContent: text, title: `probability ${percent(token.p)}` })
  token.span.addEventListener('mouseenter', () => explain(a, token))
  token.span.addEventListener('click', () => { explain(a, token); reveal() })
  a.tokens.push(token)
  a.words.append(token.span)
}

// reasons are why an answer ended, in words.
const reasons = { stop: 'ended', length: 'cut at max tokens', stopped: 'stopped' }

const percent = p => p > 0 && p < 0.00005 ? '<0.01 %' : (100 * p).toFixed(p < 0.0995 ? 2 : 1) + ' %'

// explain shows what a token was chosen from.
function explain(a, token) {
  for (const s of document.querySelectorAll('.chosen')) s.classList.remove('chosen')
  token.span.classList.add('chosen')
  a.at = a.tokens.indexOf(token)
  const step = token.step
  $('token-hint').hidden = true
  if (!step) return
  $('token-what').textContent = `${name(step)}: probability ${percent(token.p)}. Entropy ${step.entropy_bits.toFixed(2)} bits, ` +
    `${step.entropy_bits_after.toFixed(2)} after temperature and filters, which keep ${step.kept} of ${step.vocabulary} tokens.`
  $('candidates').hidden = false
  $('candidates').tBodies[0].replaceChildren(...step.candidates.map(r => make('tr', { className: r.id === step.id ? 'drawn' : '' },
    make('td', {}, make('span', { className: 'name', textContent: name(r), title: `rank ${r.rank}` })),
    make('td', { textContent: percent(r.before) }), make('td', { textContent: r.after ? percent(r.after) : '–' }),
    make('td', {}, make('meter', { value: r.after, max: 1 })))))
}

// reveal shows what explain has filled, on a phone too, where the panel is hidden.
function reveal() {
  if ($('panel').hidden) $('panel-button').click()
  $('token').scrollIntoView()
}

const name = r => r.special ? r.token : JSON.stringify(r.token)

// finish shows what is known when an answer has ended.
async function finish(n, c, a) {
  a.done = true
  a.words.classList.toggle('empty', !a.text)
  drawTools(n, c, a)
  const judge = models.find(m => m.reward)
  if (!judge || !a.text) return
  try {
    const r = await (await ask('/v1/score', { model: judge.id, messages: conversation(n, c, turns[n].columns[c].left), answer: a.text })).json()
    a.reward = r.scores[0].toFixed(2)
  } catch (e) {
    a.reward = '– ' + e.message
  }
  drawTools(n, c, a)
}

// Drawing

function draw() {
  $('talk').replaceChildren(...turns.map((_, n) => drawTurn(n)))
  atEnd = true
  follow()
}

function drawTurn(n) {
  const turn = turns[n]
  const words = make('div', { className: 'words', textContent: turn.question })
  const edit = make('button', { textContent: 'Edit', title: 'Change the message and have it answered again' })
  edit.onclick = () => editText(mine, turn.question, text => { turn.question = text; answer(n) }, draw)
  const again = make('button', { textContent: 'Again', title: 'Have it answered again (Alt+R)' })
  again.onclick = () => answer(n)
  const mine = make('div', { className: 'mine' }, words, make('div', { className: 'tools' }, edit, again))
  const columns = make('div', { className: 'columns' + (turn.columns.length > 1 ? ' two' : '') })
  turn.element = make('div', { className: 'turn' }, mine, columns)
  turn.columns.forEach((column, c) => {
    column.element = make('div', { className: 'column' }, make('h3', { textContent: column.model }))
    columns.append(column.element)
    for (const a of column.answers) drawAnswer(n, c, a)
    drawNotes(n, c)
    mark(n, c)
  })
  return turn.element
}

function drawAnswer(n, c, a) {
  const column = turns[n].columns[c]
  a.words = make('div', { className: 'words', tabIndex: 0, role: 'group', ariaLabel: `answer ${a.index + 1} of ${column.model}` })
  if (a.edited) a.words.textContent = a.text
  else for (const t of a.tokens) a.words.append(t.span)
  a.words.onkeydown = e => keys(e, n, c, a)
  a.toolbar = make('div', { className: 'tools' })
  a.element = make('article', { className: 'answer' }, a.words, a.toolbar)
  column.element.append(a.element)
  drawTools(n, c, a)
}

// keys are those of an answer that has the focus.
function keys(e, n, c, a) {
  if (e.ctrlKey || e.altKey || e.metaKey) return
  if (e.key === 'ArrowRight' || e.key === 'ArrowLeft') {
    const at = (a.at ?? -1) + (e.key === 'ArrowRight' ? 1 : -1)
    if (a.tokens[at] && !a.edited) explain(a, a.tokens[at])
  } else if (a.done && e.key === '+') thumb(n, c, a, true)
  else if (a.done && e.key === '-') thumb(n, c, a, false)
  else if (a.done && e.key >= '1' && e.key <= '9') rank(n, c, a, Number(e.key))
  else return
  e.preventDefault()
}

function drawTools(n, c, a) {
  const column = turns[n].columns[c]
  if (!a.done) return
  const list = []
  const button = (text, title, onclick, pressed) => {
    const b = make('button', { textContent: text, title, onclick })
    if (pressed !== undefined) b.setAttribute('aria-pressed', pressed)
    list.push(b)
  }
  if (modelOf(column.model)?.feedback) {
    button('Good', 'A good answer (+)', () => thumb(n, c, a, true), a.thumb === true)
    button('Bad', 'A bad answer (-)', () => thumb(n, c, a, false), a.thumb === false)
  }
  button('Edit', 'Write the answer as it should be', () => editAnswer(n, c, a))
  const k = column.answers.length
  if (k > 1) {
    button('Use', 'Go on with this answer', () => { column.used = a.index; mark(n, c) }, column.used === a.index)
    list.push('rank')
    for (let r = 1; r <= k; r++) button(r, `Rank ${r}; 1 is best`, () => rank(n, c, a, r), a.rank === r)
  }
  if (a.reward !== undefined) list.push(make('span', { className: 'reward', textContent: `reward ${a.reward}` }))
  list.push(make('span', { className: 'facts', textContent: `${a.tokens.length} token${a.tokens.length === 1 ? '' : 's'}, ${reasons[a.reason] ?? ''}, seed ${a.seed}` }))
  a.toolbar.replaceChildren(...list)
}

function mark(n, c) {
  const column = turns[n].columns[c]
  for (const a of column.answers) {
    a.element.classList.toggle('used', column.answers.length > 1 && column.used === a.index)
    drawTools(n, c, a)
  }
}

function drawNotes(n, c) {
  const column = turns[n].columns[c]
  for (const e of column.element.querySelectorAll('.note, .error')) e.remove()
  if (column.left) column.element.append(make('p', { className: 'note', textContent: `The context is full: the model didn't see the oldest ${column.left > 1 ? column.left + ' turns' : 'turn'}.` }))
  if (column.error) column.element.append(make('p', { className: 'error', role: 'alert', textContent: column.error }))
  follow()
}

// editText puts a field in the place of an element.
function editText(element, text, save, cancel) {
  const field = make('textarea', { className: 'edit', value: text, rows: 3 })
  const done = make('button', { textContent: 'Save', onclick: () => save(field.value) })
  const stop = make('button', { textContent: 'Cancel', onclick: cancel })
  element.replaceChildren(field, make('div', { className: 'tools' }, done, stop))
  field.focus()
  field.onkeydown = e => {
    if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) { e.preventDefault(); save(field.value) }
    if (e.key === 'Escape') { e.stopPropagation(); cancel() }
  }
}

// Feedback

const record = (n, c, fields) => ({ model: turns[n].columns[c].model, messages: conversation(n, c, turns[n].columns[c].left), ...fields })

async function give(fields) {
  try {
    await ask('/v1/feedback', fields)
    say('noted')
  } catch (e) {
    say(e.message)
  }
}

async function thumb(n, c, a, good) {
  a.thumb = good
  drawTools(n, c, a)
  await give(record(n, c, { answers: [a.text.trim()], label: good, seed: a.seed }))
}

// rank sets an answer's rank. When all have one they are noted together.
async function rank(n, c, a, r) {
  const { answers } = turns[n].columns[c]
  if (answers.length < 2 || r > answers.length) return
  a.rank = r
  drawTools(n, c, a)
  if (answers.some(o => !o.rank)) return say('rank the other answers too; equal ranks are a tie')
  await give(record(n, c, { answers: answers.map(o => o.text.trim()), ranks: answers.map(o => o.rank), seed: answers[0].seed }))
}

function editAnswer(n, c, a) {
  const column = turns[n].columns[c]
  const redraw = () => {
    const old = a.element
    drawAnswer(n, c, a)
    old.replaceWith(a.element)
    mark(n, c)
  }
  editText(a.element, a.text, async text => {
    const before = a.text
    a.text = text
    a.edited = true
    column.used = a.index
    redraw()
    if (text !== before && modelOf(column.model)?.feedback) await give(record(n, c, { chosen: text.trim(), rejected: before.trim() }))
  }, redraw)
}

// What the user does

$('ask').onsubmit = e => {
  e.preventDefault()
  const question = $('question').value
  if (!question.trim() || running || !models.length) return
  $('question').value = ''
  turns.push({ question, columns: [] })
  answer(turns.length - 1)
}
$('question').onkeydown = e => {
  if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
    e.preventDefault()
    $('ask').requestSubmit()
  }
}
$('talk').onscroll = () => {
  const log = $('talk')
  atEnd = following || log.scrollHeight - log.scrollTop - log.clientHeight < 60
}
$('stop').onclick = () => running?.abort()
$('new').onclick = () => {
  running?.abort()
  turns = []
  draw()
  say('')
  $('token-what').textContent = ''
  $('token-hint').hidden = false
  $('candidates').hidden = true
  $('question').focus()
}
$('key-form').onsubmit = e => {
  e.preventDefault()
  sessionStorage.setItem('key', $('key').value)
  start()
}
$('panel-button').onclick = () => {
  $('panel').hidden = !$('panel').hidden
  $('panel-button').setAttribute('aria-expanded', !$('panel').hidden)
}
document.onkeydown = e => {
  if (e.key === 'Escape') running?.abort()
  if (e.altKey && e.key.toLowerCase() === 'r' && turns.length) {
    e.preventDefault()
    answer(turns.length - 1)
  }
}
for (const id of settings) {
  $(id).oninput = () => show(id)
  show(id)
}
if (window.matchMedia('(max-width: 760px)').matches) $('panel-button').click()
start()
