package org.loranative.config;

/** Settings that stand together, in documents as in lists. */
public enum Section {
  DATA("Base and data"),
  IMAGES("Images"),
  ADAPTER("Adapter"),
  TRAINING("Training"),
  MACHINE("Machine"),
  RESULTS("Results");

  public final String title;

  Section(String title) {
    this.title = title;
  }
}
