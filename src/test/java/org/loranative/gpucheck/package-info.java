/**
 * What {@code benchmarks/gpu_check} runs in Java: tests on a card one by one, models of random
 * numbers; and its own test.
 */
package org.loranative.gpucheck;
