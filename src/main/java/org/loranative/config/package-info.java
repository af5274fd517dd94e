/**
 * The YAML configuration. {@link org.loranative.config.Catalogue} declares each setting once;
 * {@link org.loranative.config.ConfigReader} reads and checks by it.
 *
 * <p>To add a setting, add its line to its section in {@code Catalogue}:
 *
 * <pre>{@code
 * number("lora_plus_ratio", 1, between(1, 1000), "How many times faster B learns than A.")
 *     .such("16"),
 * }</pre>
 *
 * and a component of the same name, in camel case and at the same place, to {@link
 * org.loranative.config.TrainConfig}, which code reads it by. {@code only(SD)} is for settings of
 * one task, {@code images(…)} for another default there, {@code mark(…)} for what a resumed run
 * must keep and for places, {@code such(…)} for an example where the default is none. {@code
 * ConfigurationDocTest} says how to bring docs/configuration.md along.
 */
package org.loranative.config;
