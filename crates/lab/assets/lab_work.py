"""Both kinds of work in Python, done in every way; prints one JSON object.

Arguments: wait in microseconds, rounds of a computation (0: choose and tell), jobs, workers, turn.
"""
import asyncio
import json
import multiprocessing
import os
import sys
import threading
import time

TRIAL_ROUNDS = 20000
COMPUTE_SECONDS = 0.010


def compute(rounds):
    state = 88172645463325252
    for _ in range(rounds):
        state = (state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
    return state


def calibrate():
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        compute(TRIAL_ROUNDS)
        best = min(best, time.perf_counter() - start)
    return max(1, int(COMPUTE_SECONDS / best * TRIAL_ROUNDS))


def work(kind, jobs, wait, rounds, checksum):
    for _ in range(jobs):
        if kind == "waiting":
            time.sleep(wait)
        elif compute(rounds) != checksum:
            raise SystemExit("a computation came out wrong")


async def work_async(kind, jobs, wait, rounds, checksum):
    for _ in range(jobs):
        if kind == "waiting":
            await asyncio.sleep(wait)
        else:
            work(kind, 1, wait, rounds, checksum)
            await asyncio.sleep(0)


def by_workers(make, kind, jobs, workers, wait, rounds, checksum):
    made = [make(target=work, args=(kind, jobs // workers, wait, rounds, checksum)) for _ in range(workers)]
    for worker in made:
        worker.start()
    for worker in made:
        worker.join()
        if getattr(worker, "exitcode", 0):
            raise SystemExit("a worker process failed")


def by_asyncio(kind, jobs, workers, wait, rounds, checksum):
    async def main():
        await asyncio.gather(*(work_async(kind, jobs // workers, wait, rounds, checksum) for _ in range(workers)))

    asyncio.run(main())


def resident(process="self"):
    found = {}
    try:
        with open("/proc/%s/smaps_rollup" % process) as lines:
            for line in lines:
                name, _, rest = line.partition(":")
                if name in ("Rss", "Pss"):
                    found[name] = int(rest.split()[0]) * 1024
    except OSError:
        pass
    return found


def sit(there, ended):
    there.send(b"r")
    ended.recv()


def process_costs(method, figures):
    """Time until the first process answers, and what each of three holds."""
    context = multiprocessing.get_context(method)
    pipes, children, seconds = [], [], []
    for _ in range(3):
        there, tell = context.Pipe()
        start = time.perf_counter()
        child = context.Process(target=sit, args=(tell, tell))
        child.start()
        there.recv()
        seconds.append(time.perf_counter() - start)
        pipes.append(there)
        children.append(child)
    figures["start/" + method] = min(seconds)
    sizes = [resident(child.pid) for child in children]
    for name, key in (("Rss", "resident"), ("Pss", "share")):
        if all(name in size for size in sizes):
            figures["memory/%s_%s" % (method, key)] = sum(size[name] for size in sizes) / len(sizes)
    for pipe in pipes:
        pipe.send(b"e")
    for child in children:
        child.join()


def thread_costs(figures):
    count = 200
    start = time.perf_counter()
    for _ in range(count):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
    figures["start/thread"] = (time.perf_counter() - start) / count
    before, ended = resident(), threading.Event()
    threads = [threading.Thread(target=ended.wait) for _ in range(count)]
    for thread in threads:
        thread.start()
    after = resident()
    ended.set()
    for thread in threads:
        thread.join()
    if before and after:
        figures["memory/thread_resident"] = max(0, after["Rss"] - before["Rss"]) / count
        figures["memory/thread_share"] = max(0, after["Pss"] - before["Pss"]) / count


def task_costs(figures):
    async def main():
        count = 5000
        start = time.perf_counter()
        for _ in range(count):
            await asyncio.create_task(asyncio.sleep(0))
        figures["start/asyncio"] = (time.perf_counter() - start) / count
        before = resident()
        tasks = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(count)]
        await asyncio.sleep(0)
        after = resident()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if before and after:
            figures["memory/asyncio_resident"] = max(0, after["Rss"] - before["Rss"]) / count
            figures["memory/asyncio_share"] = max(0, after["Pss"] - before["Pss"]) / count

    asyncio.run(main())


def interpreter():
    lock = getattr(sys, "_is_gil_enabled", lambda: True)()
    return {
        "version": ".".join(map(str, sys.version_info[:3])),
        "implementation": sys.implementation.name,
        "executable": sys.executable,
        "has_lock": bool(lock),
    }


def main():
    wait, rounds, jobs, workers, turn = (int(word) for word in sys.argv[1:6])
    rounds = rounds or calibrate()
    amounts = (jobs, workers, wait / 1e6, rounds, compute(rounds))
    methods = [method for method in ("fork", "spawn") if method in multiprocessing.get_all_start_methods()]
    ways = {
        "one_after_the_other": lambda kind: work(kind, jobs, wait / 1e6, rounds, amounts[4]),
        "threads": lambda kind: by_workers(threading.Thread, kind, *amounts),
        "asyncio": lambda kind: by_asyncio(kind, *amounts),
    }
    for method in methods:
        process = multiprocessing.get_context(method).Process
        ways[method] = lambda kind, process=process: by_workers(process, kind, *amounts)
    cells = [(kind, way) for kind in ("waiting", "computing") for way in ways]
    turn %= len(cells)
    figures = {}
    for method in methods:
        process_costs(method, figures)
    for kind, way in cells[turn:] + cells[:turn]:
        start = time.perf_counter()
        ways[way](kind)
        figures["%s/%s" % (kind, way)] = time.perf_counter() - start
    thread_costs(figures)
    task_costs(figures)
    json.dump({"interpreter": interpreter(), "rounds": rounds, "figures": figures}, sys.stdout)


if __name__ == "__main__":
    main()
