package org.loranative.train;

/**
 * What a record alone lost in a pass.
 *
 * @param record where it came from
 * @param loss its mean over what is labelled of it, without the weight that training gives it
 * @param worst the place of its largest loss among its items, 0 for the first
 * @param items the loss of each of its items; empty where they are not kept
 */
record RecordLoss(String record, double loss, int worst, float[] items) {
  private static final float[] NONE = {};

  RecordLoss(String record, double loss, int worst) {
    this(record, loss, worst, NONE);
  }

  RecordLoss withoutItems() {
    return new RecordLoss(record, loss, worst);
  }
}
