from esteira.stack.fault import meaningful


def test_of_a_log_airflows_own_lines_are_left_out_and_the_error_comes_last() -> None:
    entries = [
        {"event": "::group::Log message source details"},
        {"event": "attempt=1.log"},
        {"event": "::endgroup::"},
        {"event": "::group::Pre Execute", "timestamp": "1", "level": "info"},
        {"event": "DAG bundles loaded", "timestamp": "2", "level": "info"},
        {"event": "::endgroup::", "timestamp": "3", "level": "info"},
        {
            "event": "Task failed with exception",
            "timestamp": "4",
            "level": "error",
            "error_detail": [
                {"exc_type": "CsvError", "exc_value": "houses.csv is empty"},
                {"exc_type": "OSError", "exc_value": "end of file"},
            ],
        },
        {"event": "reading houses.csv", "timestamp": "5", "level": "info"},
        {"event": "::group::Post Execute", "timestamp": "5", "level": "info"},
        {"event": "printed late", "timestamp": "5", "level": "info", "logger": "task.stdout"},
        {"event": "::endgroup::", "timestamp": "5", "level": "info"},
        {"event": "slow disk", "timestamp": "5", "level": "warning"},
    ]
    assert meaningful(entries) == [
        "reading houses.csv",
        "printed late",
        "warning: slow disk",
        "error: Task failed with exception",
        "CsvError: houses.csv is empty",
        "from OSError: end of file",
    ]
