"""`icf demo`: all stages on a small cartoon site, with the commands that a user types.

The demo serves the site, writes the settings, and then runs the public commands one by
one, printing each. Each command continues where it stopped, so a demo that was killed
is finished by starting it again.
"""

from __future__ import annotations

import itertools
import json
import socket
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from icf.app.demo.audit import GOAL, play_audit
from icf.app.demo.box_people import box_faces
from icf.app.demo.people import ERROR_RATE, answer_questions, filter_is_next
from icf.app.demo.score import DemoScore, score, write_detection_files
from icf.app.demo.shell import Shell
from icf.app.demo.site import DemoSite, load_truth, shipped_site
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import question
from icf.codes import Label
from icf.command import (
    GivenPath,
    Invocation,
    example,
    pass_invocation,
    refuse_options,
    shared_options,
    table,
)
from icf.errors import WrongUse
from icf.icartoonface.release_files import (
    DETTEST_BOXES,
    DETTEST_FOUND,
    FEATURES,
    RECTEST_INFO,
)
from icf.stores.files import replace_file
from icf.workspace import CONFIG, Workspace, find

SEED = 1
#: Draws what the simulated annotator is wrong about: 3% of the faces, but no reference.
#: Where a reference is refused, the demo asks for another, in more steps than it shows.
ANNOTATOR_SEED = 12
#: With --serve, the faces of every so manyth character are left for the user.
LEFT = 4
#: Simulated people who draw boxes.
BOXERS = ("simulated-1", "simulated-2", "simulated-3")

_CONFIG = """\
[harvest]
contact = "demo@example.org"
allow_hosts = ["127.0.0.1:{port}"]

[[source]]
name = "demo-wiki"
kind = "mediawiki"
api = "http://127.0.0.1:{port}/w/api.php"
albums = {{ category = "Animated series" }}
characters = {{ category = "{{album}} characters" }}
"""


@click.command()
@click.argument(
    "where",
    metavar="DIR",
    type=GivenPath(file_okay=False),
    required=False,
)
@click.option(
    "--rounds",
    type=click.IntRange(1),
    help="Play so many rounds of answers and training, on a harder site.",
)
@click.option(
    "--serve",
    "serves",
    is_flag=True,
    help="Leave a part of the questions to you, and open the page to answer them on.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Where --serve serves the page; 0: on any port that is free.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=SEED,
    show_default=True,
    help="Random seed of it.",
)
@shared_options
@pass_invocation
@example("icf demo demo")
def demo(
    invocation: Invocation,
    where: Path | None,
    rounds: int | None,
    serves: bool,
    port: int,
    seed: int,
) -> None:
    """Build a small data set from a cartoon site served on this machine.

    DIR (default: demo) becomes a workspace. The site, its pictures and its faults come
    with the program; questions are answered by a simulated annotator who is wrong 3% of
    the time. Killed at any point and started again, it continues where it stopped.

    With --rounds, DIR is demo-rounds by default, and its characters look alike and are
    redrawn in many ways. Each round asks, retrains the embedder on the answers, and
    takes the new one only if it is not worse on characters that were set aside.

    With --serve, DIR is demo-page by default. The simulated annotator answers three
    quarters of the questions; the rest is yours, on a page whose link is printed. Stop
    it with Ctrl-C; started again, it goes on.
    """
    if rounds is not None and serves:
        raise WrongUse("--rounds plays by itself; give it or --serve, not both")
    if serves:
        refuse_options("--serve leaves the release and its seed to you", "seed")
    else:
        refuse_options("it is for --serve", "port")
    if serves:
        _serve(invocation, where or Path("demo-page"), port)
        return
    if rounds is not None:
        _play_rounds(invocation, where or Path("demo-rounds"), rounds, seed)
        return
    where = where or Path("demo")
    started = time.monotonic()
    root = where.resolve()
    shell = Shell(invocation, root)
    _make_faces(shell, where)
    answered = _ask_people(root, shell)
    _box_faces(shell, BOXERS)
    play_audit(shell, SEED)
    release = Path("releases/demo")
    shell.run("icf-build-splits", str(release), "--seed", str(SEED))
    workspace = find(root)
    found = _evaluate(workspace, release, shell)
    report = root / "reports" / "demo.html"
    shell.run("icf-report", str(report.relative_to(root)))
    result = score(workspace, answered, *found)
    invocation.say(f"\nAll of it took {time.monotonic() - started:.0f} seconds.\n")
    invocation.emit(result.as_json(report), lambda: _summary(result, report))
    invocation.say("\nTo answer questions yourself, on a page: icf demo --serve")


def _make_faces(shell: Shell, where: Path) -> None:
    """Harvest and filter the site."""
    port = _port(shell.root)
    shell.run("icf", "init", str(where), folder=Path.cwd())
    text = write_config(shell.root, port)
    shell.say(f"\n{_shown(shell.root / CONFIG)} declares the site:\n\n{text.rstrip()}")
    with DemoSite(port):
        shell.run("icf-harvest", "run")
    shell.run("icf-filter", "run")


def _serve(invocation: Invocation, where: Path, port: int) -> None:
    shell = Shell(invocation, where.resolve())
    _make_faces(shell, where)
    names = sorted(each.name for each in load_truth().characters)
    _ask_people(shell.root, shell, leave=frozenset(names[::LEFT]))
    _box_faces(shell, BOXERS[:1])
    with find(shell.root).catalogue.read() as connection:
        left = count_rows(connection, question, question.c.label == Label.OPEN.value)
    invocation.say(
        f"\n{left:,} questions are left to you, those about every {LEFT}th character. "
        "Open the link below. Ctrl-C ends it, and nothing that you answered is lost. "
        "Another link: `icf-annotate invite you --role admin`"
        if left
        else f"\nAll questions of {_shown(shell.root)} are answered; for new ones name "
        "a new folder, as `icf demo another --serve`"
    )
    shell.serve("icf-annotate", "serve", "--port", str(port))
    invocation.say(
        f"""
`icf demo --serve` goes on where you stopped. To make a release of what you answered:

    cd {_shown(shell.root)}
    icf-annotate audit plan {" ".join(GOAL)} --seed {SEED}
    icf-annotate invite NAME         # somebody else checks labels that you made
    icf-annotate serve               # the audit's questions come among the others
    icf-annotate audit result
    icf-build-splits releases/mine
    icf-report reports/mine.html"""
    )


def _play_rounds(invocation: Invocation, where: Path, rounds: int, seed: int) -> None:
    from icf.app.demo.rounds.play import play, results

    started = time.monotonic()
    shell = Shell(invocation, where.resolve())
    port = _port(shell.root, seed)
    shell.run("icf", "init", str(where), folder=Path.cwd())
    figures = play(shell, port, rounds, seed)
    report = shell.root / "reports" / "rounds.html"
    shell.run("icf-report", str(report.relative_to(shell.root)))
    invocation.say(f"\nAll of it took {time.monotonic() - started:.0f} seconds.\n")
    value = {"rounds": [asdict(each) for each in figures], "report": str(report)}
    invocation.emit(value, lambda: results(figures))


def _port(root: Path, seed: int | None = None) -> int:
    """The site's port: any free one at the first run, then always the same.

    The URLs in the catalogue contain it. The file that stores it also marks a folder as
    a demo: the settings of any other workspace must not be overwritten.

    Args:
        root: the demo's folder.
        seed: of the rounds that are played in it; None: the demo without rounds.

    Raises:
        WrongUse: the folder holds something else, another demo, or the demo of another
            version, whose site had other pictures.
    """
    note = root / "demo.json"
    options = {"site": shipped_site()} if seed is None else {"seed": seed}
    if note.exists():
        known = json.loads(note.read_text())
        if known.get("seed") != seed:
            raise WrongUse(
                f"{root} holds a demo with other options: "
                + ("no --rounds" if known.get("seed") is None else "--rounds, --seed ")
                + f"{known.get('seed') or ''}; give the same, or name a new folder"
            )
        if seed is None and known.get("site") != options["site"]:
            if (root / CONFIG).exists():
                raise WrongUse(
                    f"{root} holds the demo of another version of icf, whose site had "
                    "other pictures; name a new folder, as `icf demo another`. All "
                    "other commands work in it as before"
                )
            replace_file(note, [json.dumps({**known, **options}).encode()])
        return int(known["port"])
    root.mkdir(parents=True, exist_ok=True)
    if any(not each.name.startswith(".") for each in root.iterdir()):
        raise WrongUse(
            f"{root} contains something other than a demo; name a new folder, as "
            "`icf demo another`"
        )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    replace_file(note, [json.dumps({"port": port, **options}).encode()])
    return port


def write_config(root: Path, port: int) -> str:
    """Declare the site in the workspace's settings; return their text."""
    text = _CONFIG.format(port=port)
    config = root / CONFIG
    if config.read_text() != text:
        replace_file(config, [text.encode()])
    return text


def _ask_people(root: Path, shell: Shell, leave: Collection[str] = ()) -> int:
    """Ask about references, then about faces; return the number of questions.

    Questions about the faces of some characters may be left open.

    A reference that is refused is chosen again, and asked about with the next batch.
    """
    shell.say(
        "\nNo people are at hand: a simulated annotator, who is wrong "
        f"{ERROR_RATE:.0%} of the time, fills in each batch"
    )
    asked = 0
    more = (f"questions-{number}" for number in itertools.count(2))
    for name in itertools.chain(("references", "questions"), more):
        batch = f"batches/{name}"
        shell.run("icf-annotate", "export", "--format", "csv", batch)
        questions = root / batch / "questions.csv"
        if not questions.exists():
            break
        answers = f"{batch}.csv"
        filled = answer_questions(
            find(root), questions, root / answers, ANNOTATOR_SEED, leave=leave
        )
        asked += filled.questions
        shell.run("icf-annotate", "import", answers)
        if not filled.references:
            break
        if filter_is_next(find(root)):
            shell.run("icf-filter", "run")
    return asked


def _box_faces(shell: Shell, people: Sequence[str]) -> None:
    """Let people box the faces of all pictures, each of them once.

    The last of three looks only where the first two differ.
    """
    shell.say(
        "\nTwo simulated people draw boxes around all drawn faces, and a third one "
        "where they differ; each overlooks one face in a hundred"
        if len(people) > 1
        else "\nA simulated person boxes all drawn faces; a second look is yours"
    )
    together, alone = people[:2], people[2:]
    for some in (together, alone):
        if not some:
            continue
        batch = Path(f"batches/boxes-{some[0]}")
        if not (shell.root / batch).exists():
            words = ("--what", "boxes", "--format", "coco", "--limit", "1000")
            shell.run("icf-annotate", "export", *words, str(batch))
        if not (shell.root / batch).exists():
            break
        for person in some:
            drawn = Path(f"batches/boxes-by-{person}.json")
            workspace = find(shell.root)
            box_faces(workspace, shell.root / batch, shell.root / drawn, person, SEED)
            shell.run("icf-annotate", "import", str(drawn), "--annotator", person)


def _evaluate(
    workspace: Workspace, release: Path, shell: Shell
) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """Score the release's tests, and the detector against the truth of all pictures."""
    identification = shell.run(
        "icf-evaluate",
        "identification",
        "--info",
        str(release / RECTEST_INFO),
        "--features",
        str(release / FEATURES),
        "--json",
        capture=True,
    )
    truth, detections = write_detection_files(workspace)
    whole = [each.relative_to(workspace.root) for each in (truth, detections)]
    verified = _average_precision(
        shell, release / DETTEST_BOXES, release / DETTEST_FOUND
    )
    return _figures(identification), verified, _average_precision(shell, *whole)


def _average_precision(shell: Shell, truth: Path, found: Path) -> dict[str, float]:
    words = ("--truth", str(truth), "--detections", str(found), "--json")
    return _figures(
        shell.run("icf-evaluate", "detection", *words, "--draws", "0", capture=True)
    )


def _figures(said: str) -> dict[str, float]:
    """The figures of the whole test, without those of its parts."""
    parts = (dict, list)
    return {k: v for k, v in json.loads(said).items() if not isinstance(v, parts)}


def _summary(result: DemoScore, report: Path) -> object:
    rows = [*result.lines(), ("report", _shown(report))]
    return table(("the demo", ""), rows)


def _shown(path: Path) -> str:
    """A path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
