"""The three DAGs, run by a real Airflow with a home of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from esteira import bundle
from esteira.settings import PROJECT
from flats import FLATS, write_flats

pytestmark = pytest.mark.airflow
LAST = ("pass_the_gate", "publish_version")
DRIVE = Path(__file__).with_name("drive.py")


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A migrated Airflow home, two cases, and one raw file."""
    home = tmp_path_factory.mktemp("airflow")
    case = {name: value for name, value in FLATS.items() if name != "name"}
    two = ["linear_regression", "decision_tree"]
    fails = {"hist_gradient_boosting": {"learning_rate": 1e308}}  # its answers are infinite
    (home / "casos").mkdir()
    for name, candidates, gate in (
        ("flats", two, {"r2": 0.8}),
        ("strict", two, {"r2": 0.99999999}),
        ("idle", two, {}),
        ("limping", [fails, *two, "ensemble"], {}),
        ("hopeless", [fails], {}),
    ):
        content = {**case, "train": {"candidates": candidates}, "gate": gate}
        (home / "casos" / f"{name}.yaml").write_text(yaml.safe_dump(content))
    (home / "casos" / "broken.yaml").write_text("title: nothing else\n")
    write_flats(home / "raw" / "flats.csv")
    write_flats(home / "raw" / "more.csv", rows=500, seed=9)
    airflow(home, "db", "migrate")
    return home


def environment(home: Path) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(PROJECT / "plugins"),
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "CASOS_PATH": str(home / "casos"),
        "RAW_DATA_PATH": str(home / "raw"),
        "PROCESSED_DATA_PATH": str(home / "processed"),
        "ARTEFATOS_PATH": str(home / "artefatos"),
        "ESTEIRA_HOME": str(home / "esteira"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{home}/mlflow.db",
        "DEPLOY_TARGET": "process",
        "API_PORT": "18099",
    }


def airflow(home: Path, *words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "airflow", *words], env=environment(home), check=True, capture_output=True
    )


def drive(home: Path, *calls: str, **told: str) -> tuple[dict, str]:
    done = subprocess.run(
        [sys.executable, str(DRIVE), str(PROJECT / "dags"), *calls],
        env={**environment(home), **told},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("OUTCOMES ")]
    assert lines, done.stdout + done.stderr
    return json.loads(lines[0].removeprefix("OUTCOMES ")), done.stdout + done.stderr


MORE = 'extrai_trata_dados_flats={"files": "more.csv"}'
CHOSEN = 'treina_salva_modelo_limping={"candidates": ["linear_regression"]}'
CALLS = (
    "extrai_trata_dados_flats",
    "treina_salva_modelo_flats",
    MORE,
    "extrai_trata_dados_strict",
    "treina_salva_modelo_strict",
    "extrai_trata_dados_limping",
    "treina_salva_modelo_limping",
    CHOSEN,
    "extrai_trata_dados_hopeless",
    "treina_salva_modelo_hopeless",
    "extrai_trata_dados_broken",
    "treina_salva_modelo_idle",
)


@pytest.fixture(scope="module")
def driven(home) -> dict:
    """How each of the calls went, one after the other in one process: Airflow takes seconds to load."""
    outcome, log = drive(home, *CALLS)
    assert len(outcome["runs"]) == len(CALLS), log
    return {**outcome, "runs": dict(zip(CALLS, outcome["runs"], strict=True))}


def test_each_case_has_its_three_dags_also_one_that_cannot_run_yet(driven):
    assert driven["import_errors"] == {}
    steps = ("build_deploy_infra", "extrai_trata_dados", "treina_salva_modelo")
    cases = ("broken", "flats", "hopeless", "idle", "limping", "strict")
    assert driven["ids"] == sorted(f"{step}_{case}" for step in steps for case in cases)


def test_data_and_training_end_in_a_published_version(driven, home):
    data, training = (driven["runs"][call] for call in CALLS[:2])
    assert [data["state"], training["state"]] == ["success", "success"], training
    assert set(training["tasks"]) == {
        "split_rows",
        "fit_candidate linear_regression",
        "fit_candidate decision_tree",
        "pass_the_gate",
        "publish_version",
    }
    published = bundle.load(home / "artefatos", "flats")
    assert published.version == 1
    assert published.metadata.chosen == "linear_regression"
    assert "4,000 rows in, 4,000 out" in data["summaries"]["check_and_clean"]


def test_a_rejected_challenger_goes_no_further_and_the_task_says_why(driven, home):
    run = driven["runs"]["treina_salva_modelo_strict"]
    assert [run["tasks"][task] for task in LAST] == ["failed", "upstream_failed"]
    assert "is rejected: r2 is" in run["summaries"]["pass_the_gate"]
    assert bundle.versions(home / "artefatos", "strict") == []


def test_a_candidate_that_fails_is_red_with_its_reason_and_the_others_go_on(driven, home):
    run = driven["runs"]["treina_salva_modelo_limping"]
    assert run["state"] == "success", run
    assert run["tasks"] == {
        "split_rows": "success",
        "fit_candidate hist_gradient_boosting": "failed",
        "fit_candidate linear_regression": "success",
        "fit_candidate decision_tree": "success",
        "combine": "success",
        "pass_the_gate": "success",
        "publish_version": "success",
    }
    assert "no finite number" in run["summaries"]["fit_candidate hist_gradient_boosting"]
    names = [one.name for one in bundle.load(home / "artefatos", "limping", 1).metadata.candidates]
    assert names == ["linear_regression", "decision_tree", "ensemble"]


def test_the_trigger_form_chooses_who_competes(driven):
    run = driven["runs"][CHOSEN]
    fits = [task for task in run["tasks"] if task.startswith("fit_candidate")]
    assert fits == ["fit_candidate linear_regression"]
    assert run["summaries"]["combine"] == "nothing to combine"


def test_when_all_candidates_fail_the_run_fails_and_the_gate_says_so(driven, home):
    run = driven["runs"]["treina_salva_modelo_hopeless"]
    assert run["state"] == "failed"
    assert [run["tasks"][task] for task in LAST] == ["failed", "upstream_failed"]
    said = run["summaries"]["pass_the_gate"]
    assert said.startswith("No candidate of the case 'hopeless' could be fitted")
    assert bundle.versions(home / "artefatos", "hopeless") == []


def test_a_broken_case_fails_in_its_first_task_with_the_key(driven):
    run = driven["runs"]["extrai_trata_dados_broken"]
    assert (run["state"], run["tasks"]["find_raw_files"]) == ("failed", "failed")
    assert "broken.yaml is not a valid case" in run["summaries"]["find_raw_files"]
    assert "columns: is missing; add it" in run["summaries"]["find_raw_files"]


def test_a_dag_started_by_hand_before_its_input_exists_says_so(driven):
    run = driven["runs"]["treina_salva_modelo_idle"]
    assert run["tasks"]["split_rows"] == "failed"
    assert run["summaries"]["split_rows"].startswith(
        "There is no idle dataset yet: run the DAG that makes it first"
    )


def test_another_raw_file_can_be_named_in_the_trigger_form(driven):
    run = driven["runs"][MORE]
    assert run["state"] == "success"
    assert "500 rows in, 500 out" in run["summaries"]["check_and_clean"]


@pytest.fixture(scope="module")
def without_notes(home) -> dict:
    """How DAGs went whose notes cannot be written: Airflow's API is said to be where nobody listens."""
    passwords = home / "silent" / "airflow" / "passwords.json"
    passwords.parent.mkdir(parents=True)
    passwords.write_text('{"admin": "x"}')
    told = {"ESTEIRA_HOME": str(home / "silent"), "AIRFLOW_PORT": "9"}
    outcome, log = drive(home, *CALLS[:2], *CALLS[3:5], **told)
    assert "note could not be written (Airflow at http://127.0.0.1:9 does not answer" in log
    return {run["dag"]: run for run in outcome["runs"]}


def test_a_note_that_cannot_be_written_fails_no_task(without_notes):
    training = without_notes["treina_salva_modelo_flats"]
    assert training["state"] == "success", training
    assert training["tries"]["publish_version"] == 1


def test_a_note_that_cannot_be_written_hides_no_reason_and_has_nothing_tried_again(without_notes):
    training = without_notes["treina_salva_modelo_strict"]
    assert "is rejected: r2 is" in training["summaries"]["pass_the_gate"]
    assert training["tries"]["pass_the_gate"] == 1


def test_a_wrong_variable_is_named_by_the_task_and_not_tried_again(home):
    outcome, log = drive(home, "extrai_trata_dados_flats", AIRFLOW_VAR_API_PORT="eighty")
    (run,) = outcome["runs"]
    assert run["summaries"]["find_raw_files"].startswith("API_PORT='eighty' cannot be used"), log
    assert run["tries"]["find_raw_files"] == 1
