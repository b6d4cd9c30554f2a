"""Three small DAGs with the ids and the asset chain of a case named `demo`."""

import time

from airflow.sdk import Asset, TriggerRule, dag, get_current_context, task
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
        name = "poor" if context["dag_run"].conf.get("mode") == "reject" else "demo"
        outlet_events[dataset].extra = {"path": f"{name}.parquet"}
        context["ti"].xcom_push("summary", "500,000 rows in, 492,311 out")

    write()


@dag(dag_id="treina_salva_modelo_demo", schedule=[dataset])
def train():
    @task
    def candidates():
        return ["linear_regression", "random_forest", "svc"]

    @task(map_index_template="{{ name }}", task_display_name="Fit")
    def fit(candidate):
        context = get_current_context()
        context["name"] = candidate
        if candidate == "svc":
            context["ti"].xcom_push("summary", "svc cannot be exported")
            raise ValueError("svc cannot be exported")
        context["ti"].xcom_push("summary", f"{candidate}: R² 0.981")

    @task(outlets=[version], trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
    def publish(_, *, outlet_events, triggering_asset_events):
        if triggering_asset_events[dataset][0].extra["path"] == "poor.parquet":
            raise ValueError("R² is 0.981, at least 0.99 is asked")
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
