# Thin calls of dev.py, which does the same without make: python3 dev.py help
PYTHON ?= python3
ARGS ?=
ACTIONS := help install run demo test thorough test-browser live faults check mutation abuse reset bench lock openapi

.DEFAULT_GOAL := help
.PHONY: $(ACTIONS)
$(ACTIONS):
	@$(PYTHON) dev.py $@ $(ARGS)
