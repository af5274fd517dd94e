package org.loranative.train.tuning;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.loranative.config.TrainConfig;
import org.loranative.diagnose.Paired;

/**
 * What a search found and how sure it is.
 *
 * @param best settings and steps
 * @param whole steps of the configuration's own run
 */
record Report(Search search, Candidate best, int whole, Map<Candidate, TrialCurves> measured) {
  private static final double MATTERS = 0.01;

  /** Steps after which its run should end: sooner where the loss is higher for sure at the end. */
  private int steps() {
    return search.isWhole() ? (int) measured.get(best).endsAt(best.steps()) : best.steps();
  }

  /** The settings that were found, by key. */
  Map<String, TunedYaml.Found> settings(TrainConfig config) {
    Map<String, TunedYaml.Found> found = new LinkedHashMap<>();
    String why = "found by lora-native tune";
    found.put("learning_rate", new TunedYaml.Found(Candidate.number(best.rate()), why));
    found.put("lora_rank", new TunedYaml.Found(String.valueOf(best.rank()), why));
    found.put("lora_alpha", new TunedYaml.Found(Candidate.number(best.alpha()), why));
    if (best.steps() >= whole && steps() != whole) {
      long epochs = Math.round((double) config.epochs() * steps() / whole);
      boolean inEpochs =
          config.maxSteps() == 0 && epochs * whole == (long) config.epochs() * steps();
      found.put(
          inEpochs ? "epochs" : "max_steps",
          new TunedYaml.Found(String.valueOf(inEpochs ? epochs : steps()), why));
    }
    return found;
  }

  /** For people. */
  List<String> sentences() {
    List<String> all = new ArrayList<>();
    TrialCurves run = measured.get(best);
    long reached = best.steps() == search.alive().get(0).steps() ? search.rankedAt() : best.steps();
    long at = run.endsAt(reached);
    OptionalDouble before = run.at(0);
    all.add(
        String.format(
            "Best: %s: validation loss %.4f after step %d%s.",
            best,
            run.at(at).orElse(Double.NaN),
            at,
            before.isPresent()
                ? String.format(", %.4f before training", before.getAsDouble())
                : ""));
    if (before.isPresent() && !run.isBetterAfter(at)) {
      all.add(
          "That is not lower for sure than before training: as far as these held-out records show,"
              + " none of the candidates helps. More of them would tell, or other data.");
    }
    all.add("How sure: " + sureness());
    if (best.steps() < whole) {
      all.add(
          String.format(
              "The runs had %d of %d steps: a rate that wins in short runs is often too high for"
                  + " long ones, and epochs were not judged. A longer --for in a new folder tells"
                  + " more.",
              best.steps(), whole));
    } else {
      all.add("Length: " + length());
    }
    return all;
  }

  private String sureness() {
    StringBuilder text = new StringBuilder();
    Optional<Paired> lead = search.lead();
    if (lead.isPresent()) {
      Paired p = lead.get();
      text.append(
          String.format(
              "against the next one (%s) it is %s on %d held-out records",
              search.rival().orElseThrow(), p, p.records()));
      text.append(
          p.isSure()
              ? ". "
              : String.format(
                  ": these two cannot be told apart%s; some %d records would show a change of 1 %%."
                      + " ",
                  search.rival().orElseThrow().rank() > best.rank()
                      ? ", so the smaller rank is taken"
                      : "",
                  p.wouldShow(MATTERS)));
    } else {
      text.append("there are too few held-out records to compare it with the next one. ");
    }
    search.edge().ifPresent(text::append);
    if (search.leftOut() > 0) {
      text.append(
          String.format(
              "%d were left out on the way, %d of them by less than so many records show. ",
              search.leftOut(), search.doubtful()));
    }
    if (!search.isWhole()) {
      text.append(
          String.format(
              "The time was over after step %d of %d: which is best at the end is not known. ",
              search.rankedAt(), search.alive().get(0).steps()));
    }
    return text.append("All have the same seed; another may order close ones differently.")
        .toString();
  }

  private String length() {
    if (steps() < best.steps()) {
      return String.format(
          "the validation loss was lowest after step %d and is higher for sure at the end, so the"
              + " run is to end there.",
          steps());
    }
    if (!search.isWhole()) {
      return "not judged.";
    }
    return measured.get(best).isStillFalling()
        ? "the validation loss still fell at the end; more epochs may lower it further."
        : String.format("%d steps are enough: nothing more is gained for sure.", steps());
  }
}
