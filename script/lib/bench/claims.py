"""Two hundred clients claiming fifty demands over HTTP at the same moment. Part of script/bench."""

import http.client
import json
import multiprocessing
import threading
from collections import Counter
from typing import Any

DEMANDS, CLIENTS, TRIES = 50, 200, 5
COUNTY = "610926"


def load() -> tuple[list[str], list[tuple[str, str]]]:
    """Codes of published demands, and (token, unit) of each client."""
    from django.utils import timezone
    from rest_framework.authtoken.models import Token

    from tests import factories as make
    from tests.factories import spec

    county = make.make_county("认领县", COUNTY)
    make.make_settings(county)
    category = next(iter(make.make_categories(county).values()))
    community = make.grow(county, spec("street", "认领街道", spec("community", "认领社区")))[1]
    now = timezone.now()
    demands = [
        make.make_demand(community, category, state="published", accepted_at=now, published_at=now)
        for _number in range(DEMANDS)
    ]
    clients = []
    for number in range(CLIENTS):
        unit = make.make_unit(county, f"认领单位{number}")
        make.check_in(unit, community)
        liaison = make.make_unit_person(f"认领联络员{number}", unit)
        clients.append((Token.objects.create(user=liaison).key, unit.label))
    return [demand.code for demand in demands], clients


def _client(port: int, number: int, token: str, codes: list[str], start: Any, answers: list[Any]) -> None:
    start.wait()
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    for turn in range(TRIES):
        # Four clients ask for each demand first; nobody asks in the order of the others.
        code = codes[(number + turn * 7) % len(codes)]
        headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
        line.request("POST", f"/api/v1/demands/{code}/claim/", "{}", headers)
        answer = line.getresponse()
        answers.append((number, code, answer.status, answer.read().decode()))


def _all_at_once(port: int, clients: list[tuple[str, str]], codes: list[str], queue: Any) -> None:
    answers: list[Any] = []
    start = threading.Barrier(len(clients))
    threads = [
        threading.Thread(target=_client, args=(port, number, token, codes, start, answers))
        for number, (token, _unit) in enumerate(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.put(answers)


def report(server: Any) -> bool:
    """Prints what was answered; whether every demand has one winner and everybody else was told who it is."""
    import time

    from django.db import connections

    from services.models import Demand, DemandEvent, SubOrder

    codes, clients = load()
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    queue = fork.Queue()
    began = time.perf_counter()
    child = fork.Process(target=_all_at_once, args=(server.port, clients, codes, queue))
    child.start()
    answers = queue.get()
    child.join()
    took = time.perf_counter() - began
    led = dict(Demand.objects.filter(code__in=codes).values_list("code", "lead_unit__name"))
    won = Counter(code for _number, code, status, _body in answers if status == 200)
    refused = [(code, body) for _number, code, status, body in answers if status == 409]
    told = sum(led[code] in json.loads(body).get("message", body) for code, body in refused)
    orders = SubOrder.objects.filter(demand__code__in=codes)
    sound = (
        set(won) == set(codes)
        and set(won.values()) == {1}
        and len(refused) == told == len(answers) - DEMANDS
        and orders.count() == DEMANDS
        and DemandEvent.objects.filter(demand__code__in=codes, name="claim").count() == DEMANDS
    )
    print(f"\n认领：{CLIENTS} 个客户端同时抢 {DEMANDS} 条需求，{len(answers)} 次请求，{took:.1f} 秒")
    kinds = dict(Counter(status for _number, _code, status, _body in answers))
    print(f"答复 {kinds}，认领成功 {sum(won.values())} 条，{told} 次说明了由谁承办   {'达到' if sound else '未达到'}")
    return sound
