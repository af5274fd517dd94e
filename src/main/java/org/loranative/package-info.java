/**
 * lora-native: trains LoRA adapters. Each package is a room of {@code docs/design.md}; a package
 * imports only from lower ranks, which {@code ArchitectureTest} checks.
 */
package org.loranative;
