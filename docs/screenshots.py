"""Takes the pictures of README.md from the running services: `python docs/screenshots.py`.

Needs chromium and chromedriver, the case `imoveis` live with a training that ended well, a version of
`obesidade`, and a case that `make new` wrote.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import httpx

from esteira import bundle, settings
from esteira.settings import DEFAULT_CASE, Settings
from esteira.stack.home import USER, Home

FOLDER = Path(__file__).parent
WIDTH = 1400
_FLAGS = (
    "headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "hide-scrollbars",
    "disable-background-networking", "disable-component-update", "disable-sync",
    "blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4",
)  # fmt: skip


class ScreenshotError(Exception):
    """A page does not show what its picture is about."""


@dataclass(frozen=True)
class Browser:
    """A headless browser, told what to do over the WebDriver protocol."""

    session: httpx.Client

    def tell(self, command: str, **content: Any) -> Any:
        answer = self.session.post(command, json=content).json()["value"]
        if isinstance(answer, dict) and "error" in answer:
            raise ScreenshotError(f"{command} {content}: {answer['message']}")
        return answer

    def run(self, script: str) -> Any:
        return self.tell("execute/sync", script=script, args=[])

    def open(self, url: str, *, height: int) -> None:
        metrics = {"width": WIDTH, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.tell("goog/cdp/execute", cmd="Emulation.setDeviceMetricsOverride", params=metrics)
        self.tell("url", url=url)

    def find(self, xpath: str) -> str:
        """The first element of its kind, as soon as there is one."""
        for _ in range(300):
            if found := self.tell("elements", using="xpath", value=xpath):
                return f"element/{next(iter(found[0].values()))}"
            time.sleep(0.2)
        raise ScreenshotError(f"{self.run('return location.href')} never showed {xpath}; is all of it live?")

    def click(self, xpath: str) -> None:
        self.find(xpath)
        time.sleep(0.5)  # what was drawn may be drawn anew once its data is there
        self.tell(f"{self.find(xpath)}/click")

    def write(self, field: str, text: str) -> None:
        self.tell(self.find(f"//input[@name='{field}']") + "/value", text=text)

    def take(self, name: str) -> None:
        """Save the window as it is once it has come to rest."""
        time.sleep(2.5)
        picture = base64.b64decode(self.session.get("screenshot").json()["value"])
        (FOLDER / f"{name}.png").write_bytes(picture)
        print(f"docs/{name}.png  {len(picture) // 1024} KB")


@contextmanager
def browser() -> Iterator[Browser]:
    """A fresh browser that is gone afterwards."""
    with ExitStack() as after:
        profile = after.enter_context(TemporaryDirectory(ignore_cleanup_errors=True))
        driver = after.enter_context(Popen(["chromedriver", "--port=0"], stdout=PIPE, text=True))
        after.callback(driver.terminate)
        lines = (re.search(r"successfully on port (\d+)", line) for line in driver.stdout or ())
        url = f"http://127.0.0.1:{next(line for line in lines if line)[1]}/session"
        options = {"args": [*(f"--{flag}" for flag in _FLAGS), f"--user-data-dir={profile}"]}
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        session = after.enter_context(httpx.Client(timeout=60, trust_env=False))
        session.base_url = httpx.URL(f"{url}/{session.post(url, json=wanted).json()['value']['sessionId']}")
        after.callback(session.delete, str(session.base_url).rstrip("/"))
        yield Browser(session)


def airflow(to: Browser, now: Settings) -> None:
    to.open(now.airflow_url, height=600)
    to.write("username", USER)
    to.write("password", str(Home.of(now).password()))
    to.click("//button[@type='submit']")
    to.find("//*[contains(., 'Active Dags')]")
    to.open(f"{now.airflow_url}/assets", height=600)
    to.click(f"//a[normalize-space()='{DEFAULT_CASE} version']")
    to.find("//*[contains(@class, 'react-flow__node')]")
    to.take("airflow-assets")
    to.open(f"{now.airflow_url}/dags/treina_salva_modelo/runs", height=830)
    to.click("//tr[contains(., 'Success')]//a")
    to.find("//a[normalize-space()='random_forest']")
    to.take("airflow-training")
    to.open(f"{now.airflow_url}/dags/build_deploy_infra/runs", height=700)
    to.click("//tr[contains(., 'Success')]//a")
    to.find("//a[normalize-space()='Switch all traffic to it']")
    to.take("airflow-release")


def mlflow(to: Browser, now: Settings) -> None:
    run = bundle.load(now.ARTEFATOS_PATH, DEFAULT_CASE).metadata.mlflow_run_id
    answer = httpx.get(f"{now.MLFLOW_TRACKING_URI}/api/2.0/mlflow/runs/get", params={"run_id": str(run)})
    experiment = answer.raise_for_status().json()["run"]["info"]["experiment_id"]
    candidates = quote(f"tags.`mlflow.parentRunId` = '{run}'")
    page = f"{now.MLFLOW_TRACKING_URI}/#/experiments/{experiment}/runs?workflowType=machine_learning"
    to.open(page, height=1070)
    to.run("localStorage['mlflow.assistant.panelOpen_v1'] = 'false'")
    best_first = "orderByKey=metrics.`rmse`&orderByAsc=true"
    to.open(f"{page}&compareRunsMode=CHART&searchFilter={candidates}&{best_first}", height=1070)
    to.run("location.reload()")
    to.find("//a[normalize-space()='linear_regression']")
    to.take("mlflow-comparison")


def gateway(to: Browser, now: Settings) -> None:
    to.open(f"{now.api_url}/", height=420)
    to.find("//small[contains(., 'obesidade, version')]")
    to.take("gateway")


def page(to: Browser, now: Settings) -> None:
    to.open(f"{now.api_url}/obesidade/", height=1290)
    to.find("//*[@id='why']//data")
    to.take("page")


def api_docs(to: Browser, now: Settings) -> None:
    to.open(f"{now.api_url}/docs", height=1590)
    to.click("//span[@data-path='/predict']//a")
    to.click("//button[normalize-space()='Execute']")
    to.find("//*[contains(@class, 'live-responses-table')]")
    to.take("api-docs")


def quality_report(to: Browser, now: Settings) -> None:
    reports = (now.PROCESSED_DATA_PATH / DEFAULT_CASE).glob("*.report.html")
    to.open(_newest(reports).as_uri(), height=1000)
    to.take("quality-report")


def model_card(to: Browser, now: Settings) -> None:
    card = bundle.load(now.ARTEFATOS_PATH, "obesidade").path("cartao")
    to.open(card.absolute().as_uri(), height=1400)
    to.take("model-card")


def profile(to: Browser, now: Settings) -> None:
    to.open(_newest(now.PROCESSED_DATA_PATH.glob("*/profile.html")).as_uri(), height=1400)
    to.take("profile")


def _newest(pages: Iterable[Path]) -> Path:
    return max(pages, key=lambda page: page.stat().st_mtime).absolute()


if __name__ == "__main__":
    here = settings.load()
    with browser() as chromium:
        for picture in (airflow, mlflow, gateway, page, api_docs, quality_report, model_card, profile):
            picture(chromium, here)
