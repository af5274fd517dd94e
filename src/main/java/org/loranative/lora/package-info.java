/** LoRA adapters: which layers get one, how it starts, where its numbers live, its file formats. */
package org.loranative.lora;
