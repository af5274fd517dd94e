package org.loranative.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * How a run has gone so far, which its checkpoints keep: what rollbacks made of the learning rate,
 * and the best validation loss.
 *
 * @param rateFactor that the learning rate is multiplied by
 * @param rollbacks done
 * @param troubleAt the step that showed the last trouble
 * @param backTo the step that the run then went back to
 * @param bestStep where the validation loss was lowest, 0 before the first measurement
 * @param sinceBest measurements since then that were no better
 * @param owesMeasurement whether the run was stopped between the last step and its measurement
 */
record Progress(
    double rateFactor,
    int rollbacks,
    int troubleAt,
    int backTo,
    int bestStep,
    double bestLoss,
    int sinceBest,
    boolean owesMeasurement) {
  static final Progress START = new Progress(1, 0, 0, 0, 0, Double.POSITIVE_INFINITY, 0, false);

  /** The same, where the measurement after the last step is owed or made up for. */
  Progress owing(boolean measurement) {
    return new Progress(
        rateFactor, rollbacks, troubleAt, backTo, bestStep, bestLoss, sinceBest, measurement);
  }

  /** After a measurement of the validation loss. */
  Progress measured(int step, double loss) {
    boolean best = loss < bestLoss;
    return new Progress(
        rateFactor,
        rollbacks,
        troubleAt,
        backTo,
        best ? step : bestStep,
        best ? loss : bestLoss,
        best ? 0 : sinceBest + 1,
        owesMeasurement);
  }

  /**
   * Checkpoints from this step on are no way out of a trouble. One that comes again, before the run
   * is past the last one by as far as it then went back, had begun earlier than it showed.
   */
  int limit(TrainingDivergedException trouble) {
    boolean again = rollbacks > 0 && trouble.since() <= 2L * troubleAt - backTo;
    return again ? Math.min(trouble.since(), backTo) : trouble.since();
  }

  /** After going back to {@code step}, whose progress this is, from where it was {@code now}. */
  Progress rolledBack(Progress now, TrainingDivergedException trouble, int step) {
    return new Progress(
        now.rateFactor / 2,
        now.rollbacks + 1,
        trouble.at(),
        step,
        bestStep,
        bestLoss,
        sinceBest,
        owesMeasurement);
  }

  void write(ObjectNode node) {
    node.put("lr_factor", rateFactor);
    node.put("rollbacks", rollbacks);
    node.put("rollback_from", troubleAt);
    node.put("rollback_to", backTo);
    node.put("best_step", bestStep);
    if (bestStep > 0) {
      node.put("best_val_loss", bestLoss);
    }
    node.put("measured_since_best", sinceBest);
    node.put("owes_measurement", owesMeasurement);
  }

  static Progress read(JsonNode node) {
    return new Progress(
        node.path("lr_factor").asDouble(1),
        node.path("rollbacks").asInt(),
        node.path("rollback_from").asInt(),
        node.path("rollback_to").asInt(),
        node.path("best_step").asInt(),
        node.path("best_val_loss").asDouble(Double.POSITIVE_INFINITY),
        node.path("measured_since_best").asInt(),
        node.path("owes_measurement").asBoolean());
  }
}
