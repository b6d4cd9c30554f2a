"""The three steps of a case, and the names of their DAGs."""

from typing import Literal, get_args

from esteira.settings import DEFAULT_CASE

Step = Literal["extrai_trata_dados", "treina_salva_modelo", "build_deploy_infra"]
STEPS: tuple[Step, ...] = get_args(Step)


def dag_id(step: Step, case: str) -> str:
    """The id of a case's DAG: the default case has the bare name, any other adds its own."""
    return step if case == DEFAULT_CASE else f"{step}_{case}"
