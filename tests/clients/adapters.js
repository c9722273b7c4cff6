// Four clients of one hub behind one face: realtime-js with both versions of
// the protocol, phoenix.js, and kandil-collab join. Each is
//	{name, open(url, key) → client}
//	client: join(topic, options) → channel; close(); frames [{out, data}] as they went by
//	channel: send(event, payload) → 'ok' …; heard [{event, payload}]; track(meta); untrack();
//	         present() {key: [meta, …]}; leave(); states ['SUBSCRIBED', …]
'use strict';
const { spawn } = require('child_process');
const readline = require('readline');
const WS = require('ws');
const { RealtimeClient } = require('@supabase/realtime-js');
const { Socket, Presence } = require('phoenix');

// A transport that keeps every frame, and the sockets, so that they can be cut.
function recorder() {
	const frames = [], sockets = [];
	class Recorded extends WS {
		constructor(...args) {
			super(...args);
			sockets.push(this);
			this.on('message', (data, binary) => frames.push({ out: false, binary, data: binary ? Buffer.from(data).toString('hex') : data.toString() }));
		}
		send(data, ...rest) {
			frames.push({ out: true, binary: typeof data !== 'string', data: typeof data === 'string' ? data : Buffer.from(data).toString('hex') });
			return super.send(data, ...rest);
		}
	}
	return { frames, sockets, Recorded, cut: () => sockets.forEach((s) => s.terminate()) };
}

async function until(what, test, ms = 30000) {
	for (const end = Date.now() + ms; Date.now() < end;) {
		if (await test()) return;
		await new Promise((go) => setTimeout(go, 5));
	}
	throw new Error(`waited in vain for ${what}`);
}

// What the frames say of who is present, by the rules of Phoenix: joins first, then leaves,
// both by phx_ref. realtime-js 2.109 cannot be asked: it strips the refs of what it
// knows when more comes under a key, and then keeps for ever what has left.
function roster(frames, topic) {
	let state = {};
	for (const { out, binary, data } of frames) {
		if (out || binary) continue;
		const m = JSON.parse(data);
		const [name, event, body] = Array.isArray(m) ? m.slice(2) : [m.topic, m.event, m.payload];
		if (name !== `realtime:${topic}`) continue;
		if (event === 'presence_state') state = body;
		if (event !== 'presence_diff') continue;
		for (const [key, { metas }] of Object.entries(body.joins))
			state[key] = { metas: [...(state[key] ? state[key].metas : []), ...metas] };
		for (const [key, { metas }] of Object.entries(body.leaves)) {
			state[key].metas = state[key].metas.filter((m) => !metas.some((gone) => gone.phx_ref === m.phx_ref));
			if (!state[key].metas.length) delete state[key];
		}
	}
	return plain(Object.fromEntries(Object.entries(state).map(([key, { metas }]) => [key, metas])));
}

const plain = (state) => Object.fromEntries(Object.entries(state).map(([key, metas]) =>
	[key, metas.map((m) => Object.fromEntries(Object.entries(m).filter(([n]) => !/^(presence_ref|phx_ref)/.test(n))))]));

function realtime(vsn) {
	return {
		name: `realtime-js ${vsn}`,
		open(url, key) {
			const { frames, sockets, Recorded, cut } = recorder();
			const client = new RealtimeClient(`${url.replace(/^http/, 'ws')}/realtime/v1`,
				{ params: { apikey: key }, transport: Recorded, vsn, heartbeatIntervalMs: 1500, timeout: 5000 });
			return {
				frames, sockets, cut, client,
				async join(topic, { self = false, ack = true, key: presence = '', private: hidden = false } = {}) {
					const heard = [], states = [], errors = [], systems = [];
					const ch = client.channel(topic, { config: { private: hidden, broadcast: { self, ack }, presence: { key: presence } } });
					ch.on('broadcast', { event: '*' }, (m) => heard.push({ event: m.event, payload: m.payload, meta: m.meta }));
					ch.on('presence', { event: 'sync' }, () => {});
					ch.on('system', {}, (m) => systems.push(m));
					ch.subscribe((status, error) => { states.push(status); if (error) errors.push(String(error.message)); });
					await until(`an answer to the join of ${topic}`, () => states.length);
					return {
						heard, states, errors, systems, channel: ch,
						send: (event, payload) => ch.send({ type: 'broadcast', event, payload }),
						track: (meta) => ch.track(meta), untrack: () => ch.untrack(),
						present: () => plain(ch.presenceState()),
						leave: () => ch.unsubscribe(),
					};
				},
				close: () => client.disconnect(),
			};
		},
	};
}

const phoenix = {
	name: 'phoenix.js',
	open(url, key) {
		const { frames, sockets, Recorded, cut } = recorder();
		const socket = new Socket(`${url.replace(/^http/, 'ws')}/socket`, { params: { apikey: key }, transport: Recorded, heartbeatIntervalMs: 1500 });
		socket.connect();
		return {
			frames, sockets, cut, socket,
			async join(topic, { self = false, ack = true, key: presence = '', private: hidden = false } = {}) {
				const heard = [], states = [], errors = [];
				const ch = socket.channel(`realtime:${topic}`, { config: { private: hidden, broadcast: { self, ack }, presence: { key: presence, enabled: true } } });
				const who = new Presence(ch);
				ch.on('broadcast', (m) => heard.push({ event: m.event, payload: m.payload, meta: m.meta }));
				ch.onClose(() => states.push('CLOSED'));
				ch.join().receive('ok', () => states.push('SUBSCRIBED')).receive('error', (e) => { states.push('CHANNEL_ERROR'); errors.push(JSON.stringify(e)); });
				await until(`an answer to the join of ${topic}`, () => states.length);
				const push = (event, payload) => new Promise((go) => {
					ch.push(event, payload).receive('ok', () => go('ok')).receive('error', () => go('error')).receive('timeout', () => go('timed out'));
				});
				return {
					heard, states, errors, channel: ch,
					send: (event, payload) => push('broadcast', { type: 'broadcast', event, payload }),
					track: (payload) => push('presence', { type: 'presence', event: 'track', payload }),
					untrack: () => push('presence', { type: 'presence', event: 'untrack' }),
					present: () => { const state = {}; who.list((k, { metas }) => { state[k] = metas; }); return plain(state); },
					leave: () => new Promise((go) => { ch.leave().receive('ok', () => go('ok')); }),
				};
			},
			close: () => socket.disconnect(),
		};
	},
};

let folders = 0;
const kandil = {
	name: 'kandil-collab',
	open(url, key) {
		const children = [];
		return {
			frames: [], sockets: [],
			async join(topic, { self = false, key: presence = `k${folders}`, private: hidden = false, state } = {}) {
				const heard = [], states = [], members = {};
				const args = ['join', topic, '--status', '--presence', `--as=${presence}`, `--state-dir=${state || `${process.cwd()}/state${folders++}`}`];
				const child = spawn('kandil-collab', [...args, ...(self ? ['--self'] : []), ...(hidden ? ['--private'] : [])],
					{ env: { ...process.env, KANDIL_COLLAB_URL: url, KANDIL_COLLAB_KEY: key }, stdio: ['pipe', 'pipe', 'inherit'] });
				children.push(child);
				readline.createInterface({ input: child.stdout }).on('line', (line) => {
					const r = JSON.parse(line);
					if (r.kind === 'message') heard.push({ event: r.event, payload: r.payload, from: r.from, seq: r.seq });
					else if (r.kind === 'status' && r.state === 'up') states.push('SUBSCRIBED');
					else if (r.kind === 'presence' && r.event !== 'leave') members[r.from] = [r.payload];
					else if (r.kind === 'presence') delete members[r.from];
				});
				child.on('exit', () => states.push('CLOSED'));
				await until(`kandil-collab to join ${topic}`, () => states.length);
				return {
					heard, states, errors: [], child,
					// Its event is an option: the others' messages carry it.
					send: async (event, payload) => { child.stdin.write(`${JSON.stringify(payload)}\n`); return 'ok'; },
					present: () => members,
					leave: async () => { child.stdin.end(); child.kill('SIGTERM'); },
				};
			},
			close: () => children.forEach((c) => c.kill('SIGTERM')),
		};
	},
};

module.exports = { clients: [realtime('1.0.0'), realtime('2.0.0'), phoenix, kandil], realtime, phoenix, kandil, recorder, roster, until, Socket, WS };
