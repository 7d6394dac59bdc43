# make demo    install, and run the whole line on a small cartoon site
# make test    install what tests need, and run all tests
# make lint    ruff and mypy
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
UV := $(BIN)/python -m uv pip install --quiet --python $(BIN)/python
CFG := setup.cfg pyproject.toml
DEMO ?= demo

.PHONY: install demo test lint servers clean

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
	@touch $@

$(VENV)/test-installed: $(VENV)/made $(CFG)
	$(UV) --editable '.[cbr,fast,gallery,heif,openvino,ray,test,train,video-sites,warc]'
	@touch $(VENV)/installed $@

demo: install
	$(BIN)/icf demo $(DEMO)

servers:
	@sh tests/integration/install_servers.sh

test: servers $(VENV)/test-installed
	$(BIN)/python -m pytest

lint: $(VENV)/test-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy src tests

clean:
	rm -rf $(VENV) $(DEMO)
