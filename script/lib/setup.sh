# Shared by script/server, script/test and script/assets; sourced, never run. Needs bash and Python 3.11, nothing else.
# Sets $python (the project's own interpreter) through `ready_python`. Works from any folder, without root.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
venv=.venv
python=$venv/bin/python

say() { printf '%s\n' "$*"; }
fail() {
  printf '错误：%s\n' "$*" >&2
  exit 1
}

# Long steps run in the background so that TERM or Ctrl-C ends them at once: a shell that waits in the foreground
# would only hear the signal when the step is over.
step=
run() {
  "$@" &
  step=$!
  local code=0
  wait "$step" || code=$?
  step=
  return "$code"
}
stop_step() {
  [ -n "$step" ] && kill -TERM "$step" 2>/dev/null && wait "$step" 2>/dev/null
  exit "$1"
}
trap 'stop_step 130' INT
trap 'stop_step 143' TERM HUP

find_python() {
  local candidate
  for candidate in python3.11 python3.12 python3.13 python3 python; do
    if command -v "$candidate" >/dev/null 2>&1 &&
      "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

ready_venv() {
  # A venv that was copied or whose Python was removed is made anew rather than half working.
  if [ -x "$python" ] && "$python" -c 'import pip' 2>/dev/null; then
    return 0
  fi
  local base
  base=$(find_python) || fail "没有找到 Python 3.11（或 3.12、3.13）。请先安装，例如 Debian：apt-get install python3 python3-venv"
  say "==> 建立 Python 环境 $venv（$("$base" --version)）"
  rm -rf "$venv"
  run "$base" -m venv "$venv" || {
    rm -rf "$venv"
    fail "无法建立 Python 环境：缺少 venv 模块。Debian 上请先 apt-get install python3-venv"
  }
}

# Runs "$3..." only when the contents of the files in $2 differ from what the stamp $1 remembers.
when_changed() {
  local stamp=$venv/.stamp-$1 files=$2 now
  shift 2
  # shellcheck disable=SC2086  # several file names
  now=$(cat $files | cksum)
  [ "$(cat "$stamp" 2>/dev/null)" = "$now" ] && return 0
  "$@" || return 1
  printf '%s\n' "$now" >"$stamp"
}

install() {
  say "==> 安装 $1（首次约一分钟）"
  # Python compiles what it imports by itself; most of what is installed never is.
  run "$python" -m pip install --quiet --disable-pip-version-check --no-input --no-compile -r "$1" ||
    fail "安装 $1 失败：请检查能否访问 Python 软件源（PyPI 或其镜像）"
}

# ready_python [dev]: the venv with the pinned requirements in it; "dev" adds what the tests need.
ready_python() {
  ready_venv
  when_changed runtime requirements.txt install requirements.txt || exit 1
  if [ "${1:-}" = dev ]; then
    when_changed dev "requirements.txt requirements-dev.txt" install requirements-dev.txt || exit 1
  fi
}

ready_assets() {
  local here="package-lock.json script/assets"
  [ -e static/vendor/echarts/echarts.min.js ] || rm -f "$venv/.stamp-assets"
  when_changed assets "$here" run bash script/assets --prepared || exit 1
}
