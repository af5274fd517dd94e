/** The YAML configuration: keys, defaults, checks. Only {@code train} and {@code cli} see it. */
package org.loranative.config;
