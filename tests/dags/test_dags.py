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


def drive(home: Path, *calls: str) -> tuple[dict, str]:
    done = subprocess.run(
        [sys.executable, str(DRIVE), str(PROJECT / "dags"), *calls],
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("OUTCOMES ")]
    assert lines, done.stdout + done.stderr
    return json.loads(lines[0].removeprefix("OUTCOMES ")), done.stdout + done.stderr


def test_each_case_has_its_three_dags_also_one_that_cannot_run_yet(home):
    bag, _ = drive(home)
    assert bag["import_errors"] == {}
    steps = ("build_deploy_infra", "extrai_trata_dados", "treina_salva_modelo")
    assert bag["ids"] == sorted(
        f"{step}_{case}"
        for step in steps
        for case in ("broken", "flats", "hopeless", "idle", "limping", "strict")
    )


def test_data_and_training_end_in_a_published_version(home):
    outcome, log = drive(home, "extrai_trata_dados_flats", "treina_salva_modelo_flats")
    assert [run["state"] for run in outcome["runs"]] == ["success", "success"], log
    assert set(outcome["runs"][1]["tasks"]) == {
        "split_rows",
        "fit_candidate linear_regression",
        "fit_candidate decision_tree",
        "pass_the_gate",
        "publish_version",
    }
    published = bundle.load(home / "artefatos", "flats")
    assert published.version == 1
    assert published.metadata.chosen == "linear_regression"
    assert "4,000 rows in, 4,000 out" in log


def test_a_rejected_challenger_goes_no_further_and_the_task_says_why(home):
    outcome, log = drive(home, "extrai_trata_dados_strict", "treina_salva_modelo_strict")
    tasks = outcome["runs"][1]["tasks"]
    assert (tasks["pass_the_gate"], tasks["publish_version"]) == ("failed", "upstream_failed")
    assert "is rejected: r2 is" in log
    assert bundle.versions(home / "artefatos", "strict") == []


def test_a_candidate_that_fails_is_red_and_the_others_go_on_and_the_form_chooses_who_competes(home):
    form = 'treina_salva_modelo_limping={"candidates": ["linear_regression"]}'
    outcome, log = drive(home, "extrai_trata_dados_limping", "treina_salva_modelo_limping", form)
    _, training, chosen = outcome["runs"]
    assert training["state"] == "success", log
    assert training["tasks"] == {
        "split_rows": "success",
        "fit_candidate hist_gradient_boosting": "failed",
        "fit_candidate linear_regression": "success",
        "fit_candidate decision_tree": "success",
        "combine": "success",
        "pass_the_gate": "success",
        "publish_version": "success",
    }
    names = [one.name for one in bundle.load(home / "artefatos", "limping", 1).metadata.candidates]
    assert names == ["linear_regression", "decision_tree", "ensemble"]
    assert "no finite number" in training["summaries"]["fit_candidate hist_gradient_boosting"]
    fits = [task for task in chosen["tasks"] if task.startswith("fit_candidate")]
    assert fits == ["fit_candidate linear_regression"]
    assert chosen["summaries"]["combine"] == "nothing to combine"


def test_when_all_candidates_fail_the_run_fails_and_the_gate_says_so(home):
    outcome, log = drive(home, "extrai_trata_dados_hopeless", "treina_salva_modelo_hopeless")
    training = outcome["runs"][1]
    assert training["state"] == "failed"
    ended = [training["tasks"][task] for task in ("split_rows", "pass_the_gate", "publish_version")]
    assert ended == ["success", "failed", "upstream_failed"]
    assert "No candidate of the case 'hopeless' could be fitted" in log
    assert bundle.versions(home / "artefatos", "hopeless") == []


def test_a_broken_case_fails_in_its_first_task_with_the_key(home):
    outcome, log = drive(home, "extrai_trata_dados_broken")
    assert outcome["runs"][0]["state"] == "failed"
    assert "broken.yaml is not a valid case" in log
    assert "columns: is missing; add it" in log


def test_a_dag_started_by_hand_before_its_input_exists_says_so(home):
    outcome, log = drive(home, "treina_salva_modelo_idle")
    assert outcome["runs"][0]["tasks"]["split_rows"] == "failed"
    assert "There is no idle dataset yet: run the DAG that makes it first" in log


def test_another_raw_file_can_be_named_in_the_trigger_form(home):
    write_flats(home / "raw" / "more.csv", rows=500, seed=9)
    outcome, log = drive(home, 'extrai_trata_dados_flats={"files": "more.csv"}')
    assert outcome["runs"][0]["state"] == "success"
    assert "500 rows in, 500 out" in log
