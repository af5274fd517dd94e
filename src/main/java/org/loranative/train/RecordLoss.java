package org.loranative.train;

/**
 * What a record alone lost in a pass.
 *
 * @param record where it came from
 * @param loss its mean over what is labelled of it, without the weight that training gives it
 * @param worst the place of its largest loss among its items, 0 for the first
 */
record RecordLoss(String record, double loss, int worst) {}
