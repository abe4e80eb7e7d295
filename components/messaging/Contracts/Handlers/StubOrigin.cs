namespace Plexus.Messaging.Contracts.Handlers;

/// <summary>Where the guest instruction is to be found that an instruction of the handler segment stands for.</summary>
public enum StubOrigin
{
    /// <summary>It is <see cref="StubMapEntry.GuestEip"/>.</summary>
    Static = 0,

    /// <summary>The return address that a planted CALL pushed names it; it lies in the last dword below the guest's stack pointer.</summary>
    CallFrame = 1,

    /// <summary>As <see cref="CallFrame"/>, but the return address was moved to <c>VirtualCpuPage.ReturnKey</c>.</summary>
    CallSlot = 2,

    /// <summary>A ring-3 gate pushed EFLAGS, CS and EIP below the guest's stack pointer; <see cref="StubMapEntry.GuestEip"/> is the vector. EFLAGS is to be taken from there.</summary>
    GateFrame = 3,

    /// <summary>As <see cref="GateFrame"/>, but EIP in the frame was replaced: <c>VirtualCpuPage.ReturnKey</c> names the site.</summary>
    GateSlot = 4,
}
