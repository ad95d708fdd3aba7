# The two commands of the README: `make run` and `make test`. Both make their environment first.

VENV ?= .venv
CFG  ?= examples/haproxy_cfgs/quickstart.cfg
TESTS ?=
# Tests wait more than they work: three at a time for each core.
WORKERS ?= $(shell echo $$(( 3 * $$(nproc) )))

# The modules that are compiled, as setup.py lists them: who edits one has it compiled anew.
HOT := $(shell sed -n 's/^    "\(hapy[^"]*\)",$$/\1/p' setup.py | xargs -I% find % -name '*.py')

.PHONY: run test check lint clean

run: $(VENV)/hapy.stamp
	@printf '%s\n' \
	    'hapy runs $(CFG). Type in another terminal:' \
	    '' \
	    '    curl -i http://127.0.0.1:8080/                          # one server answers' \
	    '    curl -s http://127.0.0.1:8080/a http://127.0.0.1:8080/b # two servers answer' \
	    '    curl -i http://127.0.0.1:8080/api/users                 # another backend' \
	    '    curl -i http://127.0.0.1:8080/private/                  # denied by a rule' \
	    '' \
	    'Each request leaves a line of the access log below; Ctrl-C ends it.' \
	    'To run your own file:' \
	    '' \
	    '    $(VENV)/bin/hapy check /etc/haproxy/haproxy.cfg' \
	    '    $(VENV)/bin/hapy -f /etc/haproxy/haproxy.cfg' \
	    ''
	@exec $(VENV)/bin/hapy -db -f $(CFG)

test: $(VENV)/dev.stamp
	$(VENV)/bin/python -m pytest -n $(WORKERS) --dist worksteal --reruns 2 $(TESTS)

check: lint test

lint: $(VENV)/dev.stamp
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

clean:
	find hapy -name '*.so' -delete
	rm -rf $(VENV) .ci-venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/hapy.stamp: pyproject.toml setup.py .ci/environment $(HOT)
	@echo 'making the environment in $(VENV) ...'
	@.ci/environment $(VENV)
	@touch $@

$(VENV)/dev.stamp: pyproject.toml setup.py .ci/environment $(HOT)
	@echo 'making the environment in $(VENV) ...'
	@.ci/environment $(VENV) dev
	@touch $(VENV)/hapy.stamp $@
