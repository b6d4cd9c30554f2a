#!/bin/sh
# The stack of docker-compose.yml, on a machine with Docker alone.
#
#   sh compose.sh env            make .env, once: passwords that nobody else has
#   sh compose.sh up             build and start everything, and say where it is
#   sh compose.sh run [CASE]     the same, and take a case from its raw file to a live API
#   sh compose.sh esteira …      any command of esteira, such as: versions obesidade
#   sh compose.sh status         what is running
#   sh compose.sh stop           stop everything, also the APIs; data, versions and history stay
set -eu
cd "$(dirname "$0")"
ENV_FILE=${ENV_FILE:-.env}

secret() { # 40 characters that no shell, YAML or URL takes for anything else
    od -An -N20 -tx1 /dev/urandom | tr -d ' \n'
}

socket() {
    case "${DOCKER_HOST:-}" in
        unix://*) echo "${DOCKER_HOST#unix://}" ;;
        *) echo /var/run/docker.sock ;;
    esac
}

group() { # of the engine's socket, as it is seen in a container where this machine cannot say
    stat -c %g "$(socket)" 2>/dev/null || docker run --rm -v "$(socket):/s" debian:bookworm-slim stat -c %g /s
}

make_env() (
    [ -e "$ENV_FILE" ] && exit
    mkdir -p dados/raw
    umask 077
    staged="$ENV_FILE.$$"
    trap 'rm -f "$staged"' EXIT
    gid=$(group)
    cat > "$staged" <<END
# Made by compose.sh, read by docker-compose.yml. The passwords are in no other place: keep this file.
COMPOSE_PROJECT_NAME=esteira-$(od -An -N3 -tx1 /dev/urandom | tr -d ' \n')
POSTGRES_PASSWORD=$(secret)
AIRFLOW_DB_PASSWORD=$(secret)
MLFLOW_DB_PASSWORD=$(secret)
DOCKER_SOCKET=$(socket)
DOCKER_GID=$gid
END
    # A link is made only where there is nothing yet, so of two at once one wins whole.
    ln "$staged" "$ENV_FILE" 2>/dev/null || [ -e "$ENV_FILE" ]
    echo "Made $ENV_FILE with new passwords, for your eyes only"
)

compose() {
    if docker compose version >/dev/null 2>&1; then
        docker compose --env-file "$ENV_FILE" "$@"
    elif command -v docker-compose >/dev/null; then
        docker-compose --env-file "$ENV_FILE" "$@"
    else
        echo "Neither docker compose nor docker-compose is installed: https://docs.docker.com/compose/install" >&2
        exit 1
    fi
}

esteira() { # with --no-deps: beside what runs now, whatever that is
    compose run --rm ${NO_DEPS:-} -e COLUMNS="${COLUMNS:-$(tput cols 2>/dev/null || echo 120)}" esteira "$@"
}

build() {
    docker image inspect "$(project)/platform" >/dev/null 2>&1 \
        || echo "Building the images; the first time this takes some minutes"
    compose build --quiet ${PIP_INDEX_URL:+--build-arg "PIP_INDEX_URL=$PIP_INDEX_URL"} prepare gateway
}

project() {
    sed -n 's/^COMPOSE_PROJECT_NAME=//p' "$ENV_FILE"
}

readable() { # the containers' user is another one
    closed=$(find "${CASOS_FOLDER:-casos}" "${RAW_FOLDER:-dados/raw}" \
        \( -type d ! -perm -o=rx \) -o ! -perm -o=r 2>/dev/null) || true
    [ -z "$closed" ] || echo "The containers may not read these; chmod -R o+rX lets them:" "$closed" >&2
}

start() {
    make_env
    readable
    build
    echo "Starting the services"
    compose up -d
}

main() {
    case "${1:-}" in
        env)
            [ -e "$ENV_FILE" ] && echo "$ENV_FILE is there already and stays as it is"
            make_env ;;
        up)
            start
            esteira up ;;
        run)
            shift
            start
            esteira run "$@" ;;
        esteira)
            shift
            NO_DEPS=--no-deps esteira "$@" ;;
        status)
            compose ps
            NO_DEPS=--no-deps esteira status ;;
        stop)
            [ -e "$ENV_FILE" ] || { echo "There is no $ENV_FILE, so nothing runs"; exit; }
            apis=$(docker ps -aq --filter "label=esteira.home=$(project)")
            [ -z "$apis" ] || docker stop -t 40 $apis >/dev/null
            compose down
            echo "Nothing is running any more; data, versions and history are in the volumes of $(project)" ;;
        *)
            sed -n 's/^#   /  /p' "$0"
            exit 2 ;;
    esac
}

main "$@"
