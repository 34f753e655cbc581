"""Measure tokens a second of `gpt serve` and of another server of OpenAI's API, in turn.

    gpt export --run RUN --as gguf --to run.gguf
    python serve/python/compare_servers.py --threads 2 \\
        --server "gpt serve --run RUN --addr 127.0.0.1:{port}" \\
        --server "llama-server -m run.gguf --port {port} -t {threads} -tb {threads} -np 16 -c 4096 --cache-ram 0"

Each command is started on a free port, asked, and ended; then the next one, for as many
rounds as --rounds says. With 1, 4 and 16 clients, each asks for texts of --tokens tokens
after prompts of --prompt token ids that have nothing in common, over a connection that
it keeps. GOMAXPROCS and OMP_NUM_THREADS are set to --threads. It prints every figure and
the medians. Needs nothing but Python.
"""

import argparse
import http.client
import json
import os
import shlex
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

args = argparse.ArgumentParser()
args.add_argument("--server", action="append", required=True, help="a command with {port}, and {threads} if it takes it; repeat it")
args.add_argument("--threads", type=int, default=os.cpu_count())
args.add_argument("--rounds", type=int, default=3)
args.add_argument("--seconds", type=float, default=8, help="time of each measurement, at least")
args.add_argument("--tokens", type=int, default=64)
args.add_argument("--prompt", type=int, default=16)
args.add_argument("--vocabulary", type=int, default=1000, help="prompts have ids from 1 to this")
args.add_argument("--end", type=int, default=0, help="id of the end of text, which is not drawn")
args.add_argument("--clients", default="1,4,16")
a = args.parse_args()


def ask(connection, path, body=None):
    connection.request("POST" if body else "GET", path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
    r = connection.getresponse()
    text = r.read()
    if r.status != 200:
        raise OSError(f"{path}: {r.status} {text[:300]!r}")
    return json.loads(text)


def client(port, model, number, until, drawn):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    round = 0
    while time.time() < until:
        round += 1
        ids = [1 + (number * 7919 + round * 104729 + i * 31337) % a.vocabulary for i in range(a.prompt)]
        answer = ask(connection, "/v1/completions", {
            "model": model, "prompt": ids, "max_tokens": a.tokens, "seed": round, "temperature": 1,
            "logit_bias": {str(a.end): -100}, "ignore_eos": True})
        drawn.append(answer["usage"]["completion_tokens"])
    connection.close()


def measure(command):
    """Tokens a second by number of clients."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    env = {**os.environ, "GOMAXPROCS": str(a.threads), "OMP_NUM_THREADS": str(a.threads)}
    words = shlex.split(command.format(port=port, threads=a.threads))
    server = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                ask(http.client.HTTPConnection("127.0.0.1", port, timeout=5), "/health")
                break
            except OSError:
                if server.poll() is not None:
                    sys.exit(f"{words[0]} ended with status {server.returncode}")
                time.sleep(0.1)
        else:
            sys.exit(f"{words[0]} doesn't answer")
        model = ask(http.client.HTTPConnection("127.0.0.1", port), "/v1/models")["data"][0]["id"]
        client(port, model, 0, time.time() + 0.5, [])  # the first request is slower
        speeds = {}
        for n in map(int, a.clients.split(",")):
            drawn, start = [], time.time()
            threads = [threading.Thread(target=client, args=(port, model, i, start + a.seconds, drawn)) for i in range(n)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            speeds[n] = sum(drawn) / (time.time() - start)
            print(f"{words[0]}, {n} clients: {speeds[n]:.0f} tokens/s", flush=True)
        return speeds
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


all = [[] for _ in a.server]
for _ in range(a.rounds):
    for i, command in enumerate(a.server):
        all[i].append(measure(command))
print("medians, tokens/s:")
for i, command in enumerate(a.server):
    print(f"  {shlex.split(command)[0]}:", ", ".join(f"{n} clients {statistics.median(r[n] for r in all[i]):.0f}" for n in all[0][0]))
