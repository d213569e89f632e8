# Everything a user or CI runs. `make help` lists it.
VENV ?= .venv
PYTHON ?= python3
OUT ?= $(if $(filter study,$(MAKECMDGOALS)),study,demo)
INIT ?= resnet18.pth
BIN := $(VENV)/bin
STAMP := $(VENV)/.cmd-tir-$(shell printf '%s' "$(CURDIR)" | cksum | cut -d' ' -f1)

# Without a GPU the CPU build of torch is enough and ten times smaller. Empty: the default index.
TORCH_INDEX ?= $(if $(shell command -v nvidia-smi 2>/dev/null),,https://download.pytorch.org/whl/cpu)
TORCH := torch==2.14.1 torchvision==0.29.1

# A worker a core, with one thread: more of them wait for each other. A file stays with one worker, which makes its
# fixtures once, and files are begun in the order of tests/conftest.py.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder

# In an environment that several checkouts share, each runs its own code.
export PYTHONPATH := $(CURDIR)

# What demo makes bears this mark, and nothing else is ever removed.
MARK := .made-by-demo
define refuse_what_others_made
	@if [ -z "$(OUT)" ]; then echo "error: OUT is empty: name a folder" >&2; exit 2; fi
	@if { [ -e "$(OUT)" ] || [ -L "$(OUT)" ]; } && [ ! -f "$(OUT)/$(MARK)" ]; then \
	  echo "error: $(OUT) was not made by make demo (it has no $(MARK)) and is left alone: choose another OUT, or remove it yourself" >&2; exit 2; fi
endef

define whole_tracker
--shards "$(OUT)/shards/detection" --recipe pretrain --tracker nanotrack_v2 --batch-size 16 --epochs 10 \
	  --set backbone=learns --set rate_scale=0.4 --set step=4 --set gamma=0.2 --set held_out_samples=20
endef

.PHONY: help setup lint type test e2e faults gpu pages rooms settings docs bench bench-peers bench-full demo study clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-11s %s\n", $$1, $$2}'

setup: $(STAMP) ## make .venv (or VENV=path) and install everything, once

# A short timeout and no retries: an index that cannot be reached is skipped, not waited for.
$(STAMP): pyproject.toml
	@echo "installing into $(VENV), once: torch and what else is needed, some minutes without a word, 2 GB of disk, 7 with torch for GPUs"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@if [ -n "$(TORCH_INDEX)" ]; then \
	  PIP_RETRIES=0 PIP_DEFAULT_TIMEOUT=15 $(BIN)/pip install -q --extra-index-url $(TORCH_INDEX) $(TORCH) \
	  || $(BIN)/pip install -q $(TORCH); \
	else $(BIN)/pip install -q $(TORCH); fi
	@$(BIN)/pip install -q -e '.[dev,yolo]'
	@touch $@

lint: setup docs ## style, dead code, dependencies, the rules of who imports whom, the site
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/vulture
	$(BIN)/deptry .
	$(BIN)/lint-imports

type: setup ## mypy --strict
	$(BIN)/mypy

test: setup ## the tests, in minutes
	$(PYTEST) -m "not slow and not faults and not browser and not cuda"

e2e: setup ## the slow tests, with the real commands end to end
	$(PYTEST) -m "slow and not cuda"

faults: setup ## kills, damaged files, hostile input
	$(BIN)/pytest tests/faults -m "faults or not slow"

pages: setup ## every HTML page in a headless Chromium (on the path, or CHROME=path), at three widths; PAGES=folder adds its pages
	@$(BIN)/python -m tools.chromium
	$(BIN)/pytest tests/browser -m browser

gpu: setup ## on a GPU: what must agree with the CPU and the reference there, and how fast it is
	@$(BIN)/python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' || { \
	  echo "error: no GPU that torch can use: look at nvidia-smi, and make .venv with TORCH_INDEX= for a torch with CUDA" >&2; exit 2; }
	$(BIN)/pytest -m cuda
	$(BIN)/python -m benchmarks.gpu
	$(BIN)/python -m benchmarks.track dimp50 superdimp

rooms: setup ## draw the rooms in docs/architecture.md again, from the imports
	$(BIN)/python -m tools.rooms

settings: setup ## write docs/settings.md again, from the flags and settings in the code
	$(BIN)/python -m tools.settings

# Material warns of mkdocs 2 at every build; pyproject.toml keeps it out. With --quiet nothing would be counted as strict.
docs: setup ## the pages and the API as a site, in site/; a link that leads nowhere ends it
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: setup ## the benchmarks, one JSON line each
	@for name in imports align mine mine_detection tubes tube_quality loader train_step feature_cache data_wait track track_nano scale; do $(BIN)/python -m benchmarks.$$name || exit 1; done

bench-peers: setup ## ours against what people would use instead: PYTRACKING=DIR, a checkout; WEIGHTS=FILE PAIRS=DIR, YOLO and RGB-TIR pairs
	@if [ -z "$(PYTRACKING)$(WEIGHTS)$(PAIRS)" ]; then echo "error: nothing to compare: name PYTRACKING=DIR (git clone https://github.com/visionml/pytracking), or WEIGHTS=FILE PAIRS=DIR, or both" >&2; exit 2; fi
	@if [ -n "$(WEIGHTS)$(PAIRS)" ] && { [ -z "$(WEIGHTS)" ] || [ -z "$(PAIRS)" ]; }; then echo "error: WEIGHTS=FILE and PAIRS=DIR belong together: name both" >&2; exit 2; fi
	$(if $(PYTRACKING),$(BIN)/python -m benchmarks.peers "$(PYTRACKING)")
	$(if $(WEIGHTS),$(BIN)/python -m benchmarks.peers_detection "$(WEIGHTS)" "$(PAIRS)" $(if $(PICTURES),--pictures $(PICTURES)))

bench-full: bench ## the same, scale up to 100,000 pairs and, with ROOT and TRUTH given, the accuracy of alignment
	$(BIN)/python -m benchmarks.scale --max 100000
	$(if $(and $(ROOT),$(TRUTH)),$(BIN)/python -m benchmarks.align_accuracy $(ROOT) $(TRUTH))

demo: setup ## synthetic pairs -> align -> mine -> train -> track -> evaluate, in $(OUT)
# First what OUT lies in: until that is there, x/../thesis is no folder that could be refused.
	@mkdir -p -- "$$(dirname -- "$(OUT)")"
	$(refuse_what_others_made)
	@rm -rf -- "$(OUT)" && mkdir -- "$(OUT)" && touch -- "$(OUT)/$(MARK)"
	$(BIN)/cmd-prep synth --sequences 16 --seed 6 --workers 2 --out "$(OUT)/data"
	$(BIN)/cmd-prep align --root "$(OUT)/data/pairs" --workers 2 --out "$(OUT)/aligned"
	$(BIN)/cmd-prep mine --aligned "$(OUT)/aligned" --method center --out "$(OUT)/shards/center"
	$(BIN)/cmd-prep mine --aligned "$(OUT)/aligned" --method random --out "$(OUT)/shards/random"
	@echo "detection: the demo takes the exact boxes that synth wrote in place of a detector's (--detector yolo --weights FILE)"
	$(BIN)/cmd-prep mine --aligned "$(OUT)/aligned" --method detection --detector boxes --classes person,car,dog \
	  --detections "$(OUT)/data/pairs/detections.jsonl" --out "$(OUT)/shards/detection"
	for method in center random detection; do \
	  $(BIN)/cmd-prep verify "$(OUT)/shards/$$method" --deep || exit 1; done
	$(BIN)/cmd-train feeds --shards "$(OUT)/shards/detection" --recipe d3 --tracker nanotrack_v2 --samples 3 --out "$(OUT)/feeds.html"
	@echo "teacher: NanoTrack from random weights, on the visible halves of the pairs alone"
	$(BIN)/cmd-train $(whole_tracker) --samples-per-epoch 160 --out "$(OUT)/teacher"
	@echo "student: the teacher, on the thermal halves, by the boxes that were found in the visible ones"
	$(BIN)/cmd-train $(whole_tracker) --samples-per-epoch 1360 --set feed=tir-tir --init "$(OUT)/teacher" --out "$(OUT)/student"
	for name in student teacher; do \
	  $(BIN)/cmd-track --weights "$(OUT)/$$name" --dataset tir_sequences --root "$(OUT)/data/tracking" \
	    --out "$(OUT)/results/$$name" --save-frames || exit 1; done
	for name in start-box template; do \
	  $(BIN)/cmd-track --yardstick $$name --dataset tir_sequences --root "$(OUT)/data/tracking" \
	    --out "$(OUT)/results/$$name" || exit 1; done
	$(BIN)/cmd-eval --dataset tir_sequences --annotations "$(OUT)/data/tracking" --frames "$(OUT)/data/tracking" \
	  $(foreach name,student teacher start-box template,--results $(name)="$(OUT)/results/$(name)") --out "$(OUT)/report"
	@printf '\nMade in $(OUT)/; open $(OUT)/index.html in a browser, which leads to every page:\n'
	@$(BIN)/python -m tools.demo_index "$(OUT)"
	@printf '  %-34s %s\n' \
	  student/model.safetensors 'the student (NanoTrack V2)' \
	  results/student/frames/ 'tracked frames: truth yellow, tracker blue'
	@echo 'Whether it is the pairs that a student learns from, with controls and intervals: make study (40 minutes)'

study: setup ## does distillation help, and is it the pairs? the quick study, on synthetic data, in $(OUT); again to go on
	@if [ ! -f "$(INIT)" ] && [ "$(INIT)" = resnet18.pth ]; then $(BIN)/python -c 'import torch, torchvision as t; \
	  torch.save(t.models.resnet18(weights="IMAGENET1K_V1").state_dict(), "resnet18.pth.part")' \
	  && mv resnet18.pth.part resnet18.pth || { \
	  echo "error: resnet18.pth could not be fetched: get it another way, and name it with INIT=FILE" >&2; exit 4; }; fi
	$(BIN)/cmd-train study --preset quick --init "$(INIT)" --out "$(OUT)"

clean: ## remove what the demo and the tools made
	$(refuse_what_others_made)
	rm -rf -- "$(OUT)" .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist site
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
