"""The fuzzer: its dialogues do not harm the chat, and it finds defects."""
import json

import pytest

from lab.fuzz.__main__ import main
from lab.fuzz.run import Run

EXAMPLES = 150              # fifteen seconds; always the same ones
FEWER = 30                  # for the other modes
MAX_UNTIL_FOUND = 2000     # dialogues for one mutant; on a busy machine fewer of them come to their end


def findings(mode, examples, **options):
    with Run(mode, log=lambda _text: None, **options) as run:
        run.explore(examples)
        return run.finish()


@pytest.mark.slow
@pytest.mark.parametrize("mode, examples, host", [
    ("eventlet", EXAMPLES, "127.0.0.1"), ("gevent", FEWER, "::1"), ("threading", FEWER, "127.0.0.1")])
def test_no_dialogue_does_harm(mode, examples, host):
    assert findings(mode, examples, HOST=host) == {}


@pytest.mark.slow
@pytest.mark.parametrize("broken, said", [
    ("handler_error", "in the log: TypeError"), ("slow_refusal", "stood still"), ("fatal_packet", "the process ended with 3")])
def test_what_is_broken_is_found(broken, said):
    with Run("eventlet", log=lambda _text: None, wanted=said, LAB_MUTANT=broken) as run:
        found = run.explore_until_found(MAX_UNTIL_FOUND)
    assert run.is_found, found


@pytest.mark.slow
def test_a_finding_is_written_and_replayed(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LAB_MUTANT", "handler_error")
    step = {"fin": 1, "rsv": 0, "opcode": 1, "masked": True, "wide": 0, "announced": None}
    packets = [{**step, "do": "frame", "text": text} for text in ("40", '421["markRead",{"userId":<<peerId>>,"seq":"x"}]')]
    dialogue = {"who": "member", "steps": [{"do": "websocket", "query": "", "headers": []}, *packets, {"do": "read"}]}
    with Run("eventlet", tmp_path, log=lambda _text: None) as run:
        run.step(dialogue)
        run.check_bystanders()
    file = tmp_path / "finding-1.json"
    assert json.loads(file.read_text())["dialogues"][0]["steps"]
    assert main(["--replay", str(file)]) == 1
    assert "FOUND in the log: TypeError" in capsys.readouterr().out
    monkeypatch.delenv("LAB_MUTANT")
    assert main(["--replay", str(file)]) == 0
