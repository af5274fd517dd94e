package org.loranative.model.weights;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.loranative.UserException;
import org.loranative.device.MappedFile;
import org.loranative.device.Memory;
import org.loranative.graph.Planner;
import org.loranative.graph.Value;
import org.loranative.io.TensorEntry;

/** Weights in device memory: one allocation, and mapped files where they lie as needed. */
public final class LoadedWeights implements AutoCloseable {
  private final Map<String, Long> addresses = new HashMap<>();
  private final Map<Path, MappedFile> files = new LinkedHashMap<>();
  private final Set<Path> used = new HashSet<>();
  private final Memory memory;
  private long next;

  LoadedWeights(Memory memory) {
    this.memory = memory;
    next = memory.address();
  }

  /** Where a tensor stands in its mapped file. */
  long inFile(TensorEntry entry) {
    return files
        .computeIfAbsent(entry.file(), MappedFile::new)
        .address(entry.offset(), entry.bytes());
  }

  /** Uses a tensor where it stands in its file. */
  void keep(Value v, long address, TensorEntry entry) {
    addresses.put(v.name(), address);
    used.add(entry.file());
  }

  /** A weight's place in the allocation. */
  long place(Value v) {
    long address = next;
    addresses.put(v.name(), address);
    next += Planner.align(v.bytes());
    return address;
  }

  /** Lets go of a tensor's pages in its file, or both copies would count as ours. */
  void release(TensorEntry entry) {
    files.get(entry.file()).release(entry.offset(), entry.bytes());
  }

  /** Ends the loading: unmaps the files that nothing is used of where it lies. */
  void finish() {
    requireWhole();
    files.entrySet().stream()
        .filter(f -> !used.contains(f.getKey()))
        .map(Map.Entry::getValue)
        .forEach(MappedFile::close);
    files.keySet().retainAll(used);
  }

  /** Whether {@code v} was loaded. */
  public boolean holds(Value v) {
    return addresses.containsKey(v.name());
  }

  public long address(Value v) {
    return addresses.get(v.name());
  }

  /**
   * To be called after a graph has run and before its results are used.
   *
   * @throws UserException if a file was cut off meanwhile
   */
  public void requireWhole() {
    files.values().forEach(MappedFile::requireWhole);
  }

  @Override
  public void close() {
    memory.close();
    files.values().forEach(MappedFile::close);
  }
}
