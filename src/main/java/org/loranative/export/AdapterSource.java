package org.loranative.export;

import java.nio.file.Path;

/** An adapter's file or folder, and how much of it is wanted. */
public record AdapterSource(Path path, double scale) {}
