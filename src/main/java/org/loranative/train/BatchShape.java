package org.loranative.train;

/**
 * What the plan of a batch is made for: a value, so that batches of equal shapes share a plan. Its
 * text is for people.
 */
public interface BatchShape {}
