/**
 * Devices: memory with one owner, and {@code LoraOps}, the bindings that JavaCPP makes from {@code
 * lora_ops.h}. The only package that knows org.bytedeco.
 */
package org.loranative.device;
