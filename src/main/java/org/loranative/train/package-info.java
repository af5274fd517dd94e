/**
 * Training: one loop ({@link org.loranative.train.Trainer}) for every kind of model, which a {@link
 * org.loranative.train.Task} describes; checkpoints, memory, run folder.
 */
package org.loranative.train;
