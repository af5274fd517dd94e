package org.loranative.track;

/** What a run says of its data beside its settings, and what the doctor looks for there. */
public final class DataFacts {
  public static final String RECORDS = "data/records";
  public static final String CAPTIONS = "data/captions";
  public static final String LABELLED_SHARE = "data/labelled_share";
  public static final String LABEL_ENTROPY = "data/label_entropy";
  public static final String DUPLICATES = "data/duplicates";
  public static final String NEAR_DUPLICATES = "data/near_duplicates";
  public static final String VALIDATION_RECORDS = "data/validation_records";
  public static final String VALIDATION_LEAK = "data/validation_leak";
  public static final String NEAR_VALIDATION_LEAK = "data/near_validation_leak";

  private DataFacts() {}
}
