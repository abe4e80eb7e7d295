namespace Plexus.Messaging;

/// <summary>Envelopes that wait to be used again: at most as many as an inbox holds.</summary>
internal sealed class EnvelopePool(int capacity)
{
    private readonly Lock guard = new();
    private readonly Envelope[] spare = new Envelope[capacity];
    private int count;

    /// <summary>An envelope for a Post.</summary>
    public Envelope Rent()
    {
        Envelope? envelope = null;
        lock (guard)
        {
            if (count != 0)
                envelope = spare[--count];
        }

        envelope ??= new Envelope { Home = this };
        envelope.Prepare(null);
        envelope.IsPost = true;
        return envelope;
    }

    /// <summary>Takes an envelope back.</summary>
    public void Return(Envelope envelope)
    {
        lock (guard)
        {
            if (count < spare.Length)
                spare[count++] = envelope;
        }
    }
}
