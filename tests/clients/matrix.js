// matrix.js URL KEY GROUP...: the scripted matrix against the hub at URL: what each of the official
// clients does with it, and what each says to each other. Prints a line `ok GROUP: NAME` or
// `not ok GROUP: NAME: WHY` for every case of those groups (none named: of all but kandil),
// eight of which run side by side, each with sockets and topics of its own.
// $TOKEN is a token that the hub takes, $EXPIRED one that it no longer does.
'use strict';
const assert = require('assert');
const fs = require('fs');
const path = require('path');
const { clients, realtime, phoenix, kandil, recorder, roster, until, Socket, WS } = require('./adapters');

const [url, key, ...wanted] = process.argv.slice(2);
const ws = url.replace(/^http/, 'ws');
const official = clients.filter((c) => c !== kandil);
const cases = [];
const test = (group, name, run) => cases.push({ group, name, run });
let topics = 0;
const topic = () => `room${process.pid}-${++topics}`;
const same = (got, want) => assert.deepStrictEqual(got, want);
const pause = (ms) => new Promise((go) => setTimeout(go, ms));
// What a kandil client says stands in the member payload of its message.
const inner = (m) => (!m.payload ? {} : m.payload.kandil === 1 ? m.payload.payload || {} : m.payload);
const said = (channel, text) => until(`'${text}'`, () => channel.heard.some((m) => inner(m).text === text));
const payload = (text) => ({ text, n: 1, deep: { 'ключ': ['é', 'שלום', null, 1.5, '🎈'], empty: {} } });

for (const a of clients) {
	for (const b of clients) {
		test(a === kandil || b === kandil ? 'kandil' : 'pairs', `${a.name} is heard by ${b.name}`, async (open) => {
			const t = topic();
			const [one, two] = [await open(a).join(t), await open(b).join(t)];
			for (let i = 0; i < 20; i++) same(await one.send('message', payload(`m${i}`)), 'ok');
			await said(two, 'm19');
			same(two.heard.filter((m) => m.event === 'message').map(inner), [...Array(20).keys()].map((i) => payload(`m${i}`)));
			same(one.heard.filter((m) => m.event === 'message'), []);
		});
	}
}

// ---- each of the official clients ----

// What went by, with refs in order of their appearance and phx_ref masked; heartbeats aside.
function transcript(frames, t) {
	const refs = new Map();
	const ref = (r) => (r === null || r === undefined ? r : refs.get(r) || refs.set(r, `r${refs.size + 1}`).get(r));
	return frames.filter((f) => !f.data.includes('heartbeat') && !f.data.includes('"topic":"phoenix"') &&
		!f.data.includes(',"phoenix",')).map((f) => {
		const sign = f.out ? '>>' : '<<';
		if (f.binary) return `${sign}x ${fields(Buffer.from(f.data, 'hex'), ref)}`;
		const m = JSON.parse(f.data);
		if (Array.isArray(m)) [m[0], m[1]] = [ref(m[0]), ref(m[1])];
		else Object.assign(m, 'join_ref' in m && { join_ref: ref(m.join_ref) }, { ref: ref(m.ref) });
		return `${sign} ${JSON.stringify(m).replace(/("phx_ref(_prev)?":)"[\w-]{16}"/g, '$1"…"')}`;
	}).map((line) => line.replaceAll(t, 'room'));
}
// A binary frame's kind, fields, encoding and payload.
function fields(bytes, ref) {
	const kind = bytes[0], lengths = [...bytes.subarray(1, kind === 3 ? 6 : 4)];
	let at = 1 + lengths.length + 1;
	const parts = lengths.map((n) => bytes.subarray(at, at += n).toString());
	if (kind === 3) [parts[0], parts[1]] = [ref(parts[0]), ref(parts[1])];
	return [kind, ...parts, bytes[1 + lengths.length], bytes.subarray(at).toString()].join(' ');
}

for (const c of official) {
	test(c.name, 'speaks, and is spoken to, in the frames that were captured', async (open) => {
		const t = topic(), client = open(c);
		const one = await client.join(t, { key: 'agent-a', self: true });
		same(await one.send('agent', { text: 'hé', n: 1 }), 'ok');
		same(await one.track({ n: 1 }), 'ok');
		await until('its own coming', () => one.present()['agent-a']);
		same(await one.track({ n: 2 }), 'ok');
		await until('the change', () => JSON.stringify(roster(client.frames, t)) === '{"agent-a":[{"n":2}]}');
		await one.untrack();
		await until('its leave', () => !roster(client.frames, t)['agent-a']);
		same(await one.leave(), 'ok');
		await until('phx_close', () => client.frames.some((f) => f.data.includes('phx_close')));
		const file = path.join(__dirname, `${c.name.replace(/\W+/g, '-')}.frames`);
		const got = transcript(client.frames, t);
		if (process.env.REWRITE) fs.writeFileSync(file, `${got.join('\n')}\n`);
		same(got, fs.readFileSync(file, 'utf8').trimEnd().split('\n'));
	});

	test(c.name, 'hears itself with self, before its ack', async (open) => {
		const client = open(c), one = await client.join(topic(), { self: true });
		same(await one.send('e', payload('mine')), 'ok');
		same(one.heard.map((m) => m.payload), [payload('mine')]);
		same(client.frames.slice(-2).map((f) => f.data.includes('phx_reply')), [false, true]);
	});

	test(c.name, 'has no ack without ack, and is heard', async (open) => {
		const t = topic();
		const two = await open(c).join(t);
		const client = open(c);
		const one = await client.join(t, { ack: false });
		one.send('e', payload('quiet'));
		await said(two, 'quiet');
		const replies = client.frames.filter((f) => !f.out && f.data.includes('phx_reply'));
		same(replies.length, 1);
	});

	test(c.name, 'tracks, changes and untracks its presence', async (open) => {
		const t = topic(), watcher = open(c);
		const [one, two] = [await open(c).join(t, { key: 'agent-a' }), await watcher.join(t, { key: 'agent-b' })];
		const there = () => roster(watcher.frames, t);
		same(await one.track({ mood: 'good' }), 'ok');
		await until('agent-a at the other', () => two.present()['agent-a']);
		same(two.present(), { 'agent-a': [{ mood: 'good' }] });
		same(await two.track({ n: 2 }), 'ok');
		same(await one.track({ mood: 'better' }), 'ok');
		await until('the change', () => two.present()['agent-a'].some((m) => m.mood === 'better'));
		same(there(), { 'agent-a': [{ mood: 'better' }], 'agent-b': [{ n: 2 }] });
		if (c === phoenix) same(two.present(), there());
		await until('both at one', () => Object.keys(one.present()).length === 2);
		await one.untrack();
		await until('its leave', () => !there()['agent-a']);
		same(there(), { 'agent-b': [{ n: 2 }] });
		if (c === phoenix) same(two.present(), there());
	});

	test(c.name, 'sees who was there before, and two under one key', async (open) => {
		const t = topic();
		const [one, two] = [await open(c).join(t, { key: 'k' }), await open(c).join(t, { key: 'k' })];
		await one.track({ n: 1 });
		await two.track({ n: 2 });
		const late = await open(c).join(t, { key: 'late' });
		await until('the state', () => (late.present().k || []).length === 2);
		same(late.present().k.map((m) => m.n).sort(), [1, 2]);
		await two.leave();
		await until('one of them', () => late.present().k.length === 1);
		same(late.present(), { k: [{ n: 1 }] });
	});

	test(c.name, 'leaves at once when it is cut', async (open) => {
		const t = topic();
		const client = open(c);
		const [one, two] = [await client.join(t, { key: 'gone' }), await open(c).join(t, { key: 'stays' })];
		await one.track({ n: 1 });
		await until('it', () => two.present().gone);
		client.sockets[0].terminate();
		await until('its leave', () => !two.present().gone);
	});

	test(c.name, 'leaves one topic and stays in another', async (open) => {
		const client = open(c), [s, t] = [topic(), topic()];
		const [left, stays] = [await client.join(s), await client.join(t)];
		const other = await open(c).join(t);
		same(await left.leave(), 'ok');
		await other.send('e', payload('still'));
		await said(stays, 'still');
	});

	test(c.name, 'comes back by itself when it is cut', async (open) => {
		const t = topic(), client = open(c);
		const [one, two] = [await client.join(t), await open(c).join(t)];
		client.cut();
		await until('a second socket', () => client.sockets.length > 1 && client.sockets[1].readyState === 1);
		await until('its message', async () => { await two.send('e', payload('back')); return one.heard.length; });
	});

	test(c.name, 'has its heartbeats answered', async (open) => {
		const client = open(c);
		await client.join(topic());
		const beats = (out) => client.frames.filter((f) => f.out === out && /"phoenix"/.test(f.data));
		await until('two of them', () => beats(true).length >= 2);
		await until('their answers', () => beats(false).length >= 2);
		same(client.sockets.length, 1);
	});

	test(c.name, 'has too large a message refused, and its channel goes on', async (open) => {
		const t = topic(), [one, two] = [await open(c).join(t), await open(c).join(t)];
		assert.notStrictEqual(await one.send('e', { text: 'x'.repeat(300000) }), 'ok');
		same(await one.send('e', payload('small')), 'ok');
		await said(two, 'small');
		same(two.heard.length, 1);
	});

	test(c.name, 'takes a new token, and is put out with a dead one', async (open) => {
		const client = open(c), t = topic();
		const one = await client.join(t), two = await open(c).join(t);
		const refresh = async (token) => {
			if (c === phoenix) one.channel.push('access_token', { access_token: token });
			else await client.client.setAuth(token);
		};
		await refresh(process.env.TOKEN);
		await two.send('e', payload('fresh'));
		await said(one, 'fresh');
		same(one.states, ['SUBSCRIBED']);
		await refresh(process.env.EXPIRED);
		await until('the end of it', () => one.states.includes('CLOSED'));
		const told = client.frames.map((f) => f.data).filter((data) => data.includes('"system"'));
		same(told.length, 1);
		assert.match(told[0], /"message":"Token has expired \d+ seconds ago"/);
	});
}

// ---- bytes ----

test('bytes', 'from realtime-js 2.0.0 arrive as bytes', async (open) => {
	const t = topic();
	const two = await open(realtime('2.0.0')).join(t), one = await open(realtime('2.0.0')).join(t);
	same(await one.send('bin', Uint8Array.from([1, 2, 255, 0]).buffer), 'ok');
	await until('them', () => two.heard.length);
	same(Buffer.from(two.heard[0].payload).toString('hex'), '0102ff00');
});

test('bytes', 'from phoenix.js arrive at phoenix.js, and break nobody else', async (open) => {
	const t = topic(), client = open(phoenix);
	const two = await client.join(t), three = await open(realtime('2.0.0')).join(t), four = await open(realtime('1.0.0')).join(t);
	const one = await open(phoenix).join(t);
	one.channel.push('broadcast', Uint8Array.from([1, 2, 255]).buffer);
	await one.send('e', payload('after'));
	for (const other of [two, three, four]) await said(other, 'after');
	assert.ok(client.frames.some((f) => f.binary && f.data.startsWith('02') && f.data.endsWith('0102ff')));
	same(four.heard.length, 1);
});

test('bytes', 'a Uint8Array is an object, and over v1 a buffer is nothing', async (open) => {
	const t = topic(), two = await open(phoenix).join(t);
	const one = await open(realtime('2.0.0')).join(t), old = await open(realtime('1.0.0')).join(t);
	same(await one.send('e', Uint8Array.from([1, 2])), 'ok');
	same(await old.send('e', Uint8Array.from([1, 2]).buffer), 'ok');
	await until('both', () => two.heard.length === 2);
	same(two.heard.map((m) => m.payload), [{ 0: 1, 1: 2 }, {}]);
});

test('bytes', 'a topic that realtime-js writes byte by byte matches none, and the socket goes on', async (open) => {
	const client = open(realtime('2.0.0'));
	const [t, odd] = [topic(), `${topic()}é`];
	const one = await client.join(t), other = await open(realtime('2.0.0')).join(t);
	const wrong = await client.join(odd), hears = await open(realtime('1.0.0')).join(odd);
	const sent = wrong.send('e', payload('lost'));
	await until('its answer', () => client.frames.some((f) => !f.out && f.data.includes('unmatched topic')));
	same(await one.send('e', payload('on')), 'ok');
	await said(other, 'on');
	same(hears.heard, []);
	assert.notStrictEqual(await sent, 'ok');
});

// ---- joining ----

test('joins', 'a second join of a topic ends the first, and only that', async (open) => {
	const t = topic(), client = open(phoenix);
	const first = await client.join(t);
	client.socket.remove(first.channel); // phoenix.js itself would leave first
	const second = await client.join(t), other = await open(phoenix).join(t);
	await other.send('e', payload('once'));
	await said(second, 'once');
	same(second.heard.length, 1);
});

test('joins', 'a public and a private topic of one name are two', async (open) => {
	const t = topic();
	const there = await open(realtime('2.0.0')).join(t), hidden = await open(realtime('2.0.0')).join(t, { private: true });
	same([there.states, hidden.states], [['SUBSCRIBED'], ['SUBSCRIBED']]);
	same(await hidden.send('e', payload('secret')), 'ok');
	same(await there.send('e', payload('open')), 'ok');
	await pause(200);
	same(there.heard.concat(hidden.heard), []);
});

test('joins', 'topics and events of all sorts', async (open) => {
	const [a, b] = [open(realtime('1.0.0')), open(realtime('1.0.0'))];
	for (const name of ['a b', 'a:b:c', 'ünïcode', '日本', "q'\"\\", 'x'.repeat(200)]) {
		const one = await a.join(name), two = await b.join(name);
		same(await one.send(name, payload(name)), 'ok');
		await said(two, name);
		same(two.heard[0].event, name);
	}
});

test('joins', 'a subprotocol is echoed when it is phoenix, and refused when it is another', async () => {
	const connect = (protocols) => new Promise((go) => {
		const socket = new WS(`${ws}/socket/websocket?vsn=2.0.0&apikey=${key}`, protocols);
		socket.on('open', () => { go(socket.protocol); socket.close(); });
		socket.on('unexpected-response', (_, r) => { go(r.statusCode); r.resume(); }).on('error', () => {});
	});
	same(await connect(undefined), '');
	same(await connect('phoenix'), 'phoenix');
	same(await connect(['x', 'phoenix']), 'phoenix');
	same(await connect(['graphql-ws']), 400);
});

test('joins', "phoenix.js with its key as authToken, in a subprotocol", async () => {
	const { Recorded } = recorder();
	const socket = new Socket(`${ws}/socket`, { authToken: key, transport: Recorded });
	socket.connect();
	const answer = await new Promise((go) => { socket.channel(`realtime:${topic()}`).join().receive('ok', () => go('ok')).receive('error', go).receive('timeout', go); });
	socket.disconnect();
	same(answer, 'ok');
});

for (const c of official) {
	test('joins', `${c.name} with a wrong key tries for ever, and disturbs nobody`, async (open) => {
		const t = topic();
		const two = await open(c).join(t), three = await open(c).join(t);
		const { Recorded, sockets, cut } = recorder();
		let tries = 0;
		class Counted extends Recorded {
			constructor(...args) {
				super(...args);
				this.on('unexpected-response', (_, r) => { if (r.statusCode === 401) tries++; r.resume(); this.terminate(); }).on('error', () => {});
			}
		}
		const socket = c === phoenix ? new Socket(`${ws}/socket`, { params: { apikey: 'wrong' }, transport: Counted })
			: new (require('@supabase/realtime-js').RealtimeClient)(`${ws}/realtime/v1`, { params: { apikey: 'wrong' }, transport: Counted, vsn: c.name.slice(-5) });
		socket.connect();
		await until('two refusals', () => tries >= 2 && sockets.length >= 2);
		same(await two.send('e', payload('undisturbed')), 'ok');
		await said(three, 'undisturbed');
		socket.disconnect();
		cut();
	});
}

// ---- REST ----

for (const vsn of ['1.0.0', '2.0.0']) {
	test('REST', `realtime-js ${vsn} sends over HTTP when it has not joined`, async (open) => {
		const t = topic();
		const two = await open(realtime(vsn)).join(t);
		const ch = open(realtime(vsn)).client.channel(t);
		same(await ch.send({ type: 'broadcast', event: 'e', payload: payload('by REST') }), 'ok');
		await said(two, 'by REST');
	});
}

test('REST', 'realtime-js 2.0.0 httpSend, with a topic and an event to be encoded', async (open) => {
	for (const t of [`${topic()} é`, `${topic()}/a%2F?b#c`]) {
		const two = await open(realtime('2.0.0')).join(t);
		const ch = open(realtime('2.0.0')).client.channel(t);
		same((await ch.httpSend('ev/é', payload('http'))).success, true);
		await said(two, 'http');
		same(two.heard[0].event, 'ev/é');
	}
});

test('order', 'a thousand messages in a row keep theirs at every official client', async (open) => {
	const t = topic();
	const one = await open(realtime('2.0.0')).join(t), others = [];
	for (const c of official) others.push(await open(c).join(t));
	for (let i = 0; i < 1000; i++) one.send('e', { text: `m${i}` });
	for (const other of others) {
		await said(other, 'm999');
		same(other.heard.map((m) => m.payload.text), [...Array(1000).keys()].map((i) => `m${i}`));
	}
});

test('kandil', 'a thousand messages in a row keep their order at kandil-collab', async (open) => {
	const t = topic();
	const one = await open(realtime('2.0.0')).join(t), other = await open(kandil).join(t);
	for (let i = 0; i < 1000; i++) one.send('e', { text: `m${i}` });
	await said(other, 'm999');
	same(other.heard.map((m) => m.payload.text), [...Array(1000).keys()].map((i) => `m${i}`));
});

// ---- running ----

let failed = 0;
async function runOne({ group, name, run }) {
	const opened = [];
	const open = (client) => { const c = client.open(url, key); opened.push(c); return c; };
	try {
		await run(open);
		console.log(`ok ${group}: ${name}`);
	} catch (error) {
		failed++;
		console.log(`not ok ${group}: ${name}: ${error.stack.replace(/\n/g, '\n\t')}`);
	}
	opened.forEach((c) => c.close());
}

(async () => {
	const queue = cases.filter((c) => (wanted.length ? wanted.includes(c.group) : c.group !== 'kandil'));
	if (!queue.length) throw new Error(`no group ${wanted}`);
	console.warn = () => {}; // realtime-js, of its own REST fallback
	await Promise.all([...Array(8)].map(async () => {
		while (queue.length) await runOne(queue.shift());
	}));
	process.exit(failed ? 1 : 0);
})();
