import io
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator

import pytest
from rich.console import Console
from stackhome import Running

from esteira.stack.airflow import Airflow, connect
from esteira.stack.follow import Outcome, follow
from esteira.stack.readiness import wait_until_known
from esteira.stack.rest import AirflowError, AirflowSilentError
from esteira.stack.watch import FollowError

pytestmark = pytest.mark.airflow


@pytest.fixture
def airflow(running: Running) -> Iterator[Airflow]:
    client = connect(running.settings)
    assert client is not None
    with client:
        yield client


def followed(running: Running, mode: str | None = None) -> tuple[Outcome, str]:
    text = io.StringIO()
    outcome = follow(running.settings, "demo", conf={"mode": mode}, console=Console(file=text))
    return outcome, text.getvalue()


def test_the_three_dags_are_followed_to_the_end_with_what_each_task_gave(running: Running) -> None:
    outcome, text = followed(running)
    assert (outcome.state, outcome.exit_code) == ("success", 0)
    assert [step.step for step in outcome.steps] == [
        "extrai_trata_dados",
        "treina_salva_modelo",
        "build_deploy_infra",
    ]
    assert [step.announced for step in outcome.steps] == [{"path": "demo.parquet"}, {"version": 3}, None]
    for line in (
        r"extrai_trata_dados_demo / Write the dataset success in",
        "500,000 rows in, 492,311 out",
        "treina_salva_modelo_demo / Fit [linear_regression] success in",
        "random_forest: R² 0.981",
        "build_deploy_infra_demo / put_live success in",
    ):
        assert line in text


def test_a_candidate_that_fails_is_shown_with_its_reason_and_the_chain_goes_on(running: Running) -> None:
    outcome, text = followed(running)
    (line,) = [line for line in text.splitlines() if "Fit [svc]" in line]
    assert "failed in" in line
    assert line.endswith(": svc cannot be exported")
    assert outcome.state == "success"


def test_of_a_run_that_fails_after_a_candidate_did_the_log_of_what_ended_it_is_shown(
    running: Running,
) -> None:
    outcome, text = followed(running, "reject")
    assert outcome.state == "failed"
    assert "treina_salva_modelo_demo / publish failed after 1 try" in text
    assert "ValueError: R² is 0.981, at least 0.99 is asked" in text


def test_a_step_with_nothing_for_the_next_one_ends_the_chain_without_failing(running: Running) -> None:
    outcome, text = followed(running, "nothing")
    assert (outcome.state, outcome.exit_code) == ("stopped", 0)
    assert outcome.steps[0].summaries == ("nothing new",)
    assert "ended with nothing for treina_salva_modelo" in text


def test_a_failed_task_is_shown_with_its_error_and_its_log(running: Running) -> None:
    outcome, text = followed(running, "fail")
    assert (outcome.state, outcome.exit_code) == ("failed", 1)
    assert "extrai_trata_dados_demo / Write the dataset failed after 1 try" in text
    assert "about to fail" in text
    assert "ValueError: column 'Area' is missing; add it to the file" in text
    assert f"The whole log: {running.services.airflow_url}/dags/extrai_trata_dados_demo/runs/" in text


def test_ctrl_c_leaves_the_run_going_and_says_so(running: Running, airflow: Airflow) -> None:
    code = f"""
        import sys
        from esteira.settings import Settings
        from esteira.stack.follow import follow
        settings = Settings.model_validate_json({running.settings.model_dump_json()!r})
        sys.exit(follow(settings, "demo", conf={{"mode": "slow"}}).exit_code)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        assert "started" in follower.stdout.readline()
        follower.send_signal(signal.SIGINT)
        said, _ = follower.communicate(timeout=30)
    assert follower.returncode == 130
    assert "Airflow goes on with it" in said
    assert airflow.runs("extrai_trata_dados_demo", limit=1)[0].state in {"queued", "running"}


def test_a_case_without_dags_is_named_after_a_while(
    airflow: Airflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esteira.stack.readiness.KNOWN_SECONDS", 1.0)
    said: list[str] = []
    with pytest.raises(FollowError, match="Airflow knows no DAG extrai_trata_dados_nowhere"):
        wait_until_known(airflow, ["extrai_trata_dados_nowhere"], said.append)
    assert said == ["Waiting for Airflow to read extrai_trata_dados_nowhere"]


def test_a_dag_file_that_cannot_be_imported_is_shown_while_its_dag_is_awaited(
    running: Running, airflow: Airflow
) -> None:
    broken = running.dags / "broken.py"
    broken.write_text("from airflow.sdk import dag\nraise RuntimeError('broken on purpose')\n")
    began = time.monotonic()
    try:
        with pytest.raises(FollowError, match="broken on purpose"):
            wait_until_known(airflow, ["not_there_yet"], lambda _: None)
    finally:
        broken.unlink()
    assert time.monotonic() - began < 40


def test_a_note_is_kept_with_its_run(airflow: Airflow) -> None:
    run = airflow.runs("extrai_trata_dados_demo", limit=1)[0]
    airflow.set_note(run, "492,311 rows kept")
    assert airflow.run(run.dag_id, run.run_id).note == "492,311 rows kept"


def test_what_airflow_refuses_is_told_with_its_reason(airflow: Airflow) -> None:
    with pytest.raises(AirflowError, match="does not know /dags/nowhere/dagRuns"):
        airflow.trigger("nowhere")


def test_a_wrong_password_is_told_with_the_way_out(running: Running) -> None:
    with (
        Airflow(running.services.airflow_url, "admin", "wrong") as stranger,
        pytest.raises(AirflowError, match=r"refuses the login of 'admin'.*esteira down"),
    ):
        stranger.dag("extrai_trata_dados_demo")


def test_an_airflow_that_is_not_there_is_told_with_the_way_out() -> None:
    with (
        Airflow("http://127.0.0.1:9", "admin", "any") as nobody,
        pytest.raises(AirflowSilentError, match=r"does not answer .*esteira up"),
    ):
        nobody.dag("any")
