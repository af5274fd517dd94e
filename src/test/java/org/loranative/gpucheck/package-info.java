/**
 * The check of a machine with a card: tests on the device, training against the CPU, speed of
 * kernels and of whole steps beside other programs. {@code benchmarks/gpu-check.sh} runs it.
 */
package org.loranative.gpucheck;
