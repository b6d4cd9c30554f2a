"""Three small DAGs with the ids and the asset chain of a case named `demo`."""

import time

from airflow.sdk import Asset, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

dataset, version = Asset("demo dataset"), Asset("demo version")


@dag(dag_id="extrai_trata_dados_demo", schedule=None)
def extract():
    @task(outlets=[dataset], task_display_name="Write the dataset")
    def write(*, outlet_events, **context):
        match context["dag_run"].conf.get("mode"):
            case "fail":
                print("about to fail")
                raise ValueError("column 'Area' is missing; add it to the file")
            case "nothing":
                context["ti"].xcom_push("summary", "nothing new")
                raise AirflowSkipException("nothing new")
            case "slow":
                time.sleep(600)
        outlet_events[dataset].extra = {"path": "demo.parquet"}
        context["ti"].xcom_push("summary", "500,000 rows in, 492,311 out")

    write()


@dag(dag_id="treina_salva_modelo_demo", schedule=[dataset])
def train():
    @task
    def candidates():
        return ["linear_regression", "random_forest"]

    @task(map_index_template="{{ name }}", task_display_name="Fit")
    def fit(candidate):
        context = get_current_context()
        context["name"] = candidate
        context["ti"].xcom_push("summary", f"{candidate}: R² 0.981")

    @task(outlets=[version])
    def publish(_, *, outlet_events):
        outlet_events[version].extra = {"version": 3}

    publish(fit.expand(candidate=candidates()))


@dag(dag_id="build_deploy_infra_demo", schedule=[version])
def deploy():
    @task
    def put_live(**context):
        context["ti"].xcom_push("summary", "version 3 is live")

    put_live()


extract()
train()
deploy()
